# CC with ProPos' prototype scattering on CIFAR-20 (superclasses of CIFAR-100), ResNet-18 at 32 pixels.
# ProPos' table 6, ResNet-18, CIFAR-20: ACC 49.1, NMI 48.3, ARI 32.2 (%).
# tools/dist_train.sh configs/cc_psl_r18_cifar20.py 4
data = 'data/cifar20'
stages = dict(cc_psl=dict(parts=['cc/r18', 'cc/psl']))
