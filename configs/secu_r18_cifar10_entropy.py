# SeCu with the entropy of the cluster sizes on CIFAR-10, split protocol as in the release. No figure is known here.
# tools/dist_train.sh configs/secu_r18_cifar10_entropy.py 4 --amp
data = 'data/cifar10_split'
stages = dict(secu=dict(parts=['secu/r18', 'secu/entropy'], facts=dict(center_rate=6., least_area=0.3)))
