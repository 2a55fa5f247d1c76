# SeCu with a least size of clusters on CIFAR-10, split protocol as in the release: 50,000 training images, ten heads.
# Quoted in ClusMatch's Table 1: NMI 0.861, ACC 0.930, ARI 0.857.
# tools/dist_train.sh configs/secu_r18_cifar10.py 4 --amp
data = 'data/cifar10_split'
stages = dict(secu=dict(parts=['secu/r18'], facts=dict(center_rate=6., least_area=0.3)))
