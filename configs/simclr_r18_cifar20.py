# SimCLR on CIFAR-20 (superclasses of CIFAR-100), split protocol: the features of SCAN.
# On them the authors' best SCAN has ACC 44.0, NMI 44.9, ARI 28.3 and, self-labelled, 50.7, 48.6, 33.3 (%).
# tools/dist_train.sh configs/simclr_r18_cifar20.py 4
data = 'data/cifar20_split'
stages = dict(simclr=dict(parts=['simclr/r18']))
