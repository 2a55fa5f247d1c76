# CC on CIFAR-10 in ProPos' setting, ResNet-18 at 32 pixels.
# ProPos' table 6, ResNet-18, CIFAR-10: ACC 74.6, NMI 66.1, ARI 58.3 (%).
# tools/dist_train.sh configs/cc_r18_cifar10.py 4
data = 'data/cifar10'
stages = dict(cc=dict(parts=['cc/r18']))
