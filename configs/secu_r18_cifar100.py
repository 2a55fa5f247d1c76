# SeCu with a least size of clusters on CIFAR-100 with its 100 classes, split protocol, heads of 100 to 1000 clusters. Its
# centres move a hundred times more slowly than on CIFAR-10. No figure is known here.
# tools/dist_train.sh configs/secu_r18_cifar100.py 4 --amp
data = 'data/cifar100_split'
stages = dict(secu=dict(parts=['secu/r18'], facts=dict(epochs=801, center_rate=0.05)))
