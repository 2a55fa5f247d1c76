# CC on CIFAR-20 (superclasses of CIFAR-100) in ProPos' setting, ResNet-18 at 32 pixels.
# ProPos' table 6, ResNet-18, CIFAR-20: ACC 45.0, NMI 46.4, ARI 29.5 (%).
# tools/dist_train.sh configs/cc_r18_cifar20.py 4
data = 'data/cifar20'
stages = dict(cc=dict(parts=['cc/r18']))
