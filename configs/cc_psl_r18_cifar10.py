# CC with ProPos' prototype scattering on CIFAR-10, ResNet-18 at 32 pixels.
# ProPos' table 6, ResNet-18, CIFAR-10: ACC 83.4, NMI 74.3, ARI 69.6 (%).
# tools/dist_train.sh configs/cc_psl_r18_cifar10.py 4
data = 'data/cifar10'
stages = dict(cc_psl=dict(parts=['cc/r18', 'cc/psl']))
