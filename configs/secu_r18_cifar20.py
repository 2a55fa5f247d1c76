# SeCu with a least size of clusters on CIFAR-20 (superclasses of CIFAR-100), split protocol as in the release.
# Quoted in ClusMatch's Table 1: NMI 0.551, ACC 0.552, ARI 0.397.
# tools/dist_train.sh configs/secu_r18_cifar20.py 4 --amp
data = 'data/cifar20_split'
stages = dict(secu=dict(parts=['secu/r18'], facts=dict(epochs=801, center_rate=4.)))
