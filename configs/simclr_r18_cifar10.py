# SimCLR on CIFAR-10, split protocol: the features of SCAN, whose k-means result is only logged.
# On them the authors' best SCAN has ACC 81.6, NMI 71.5, ARI 66.5 and, self-labelled, 88.3, 79.7, 77.2 (%).
# tools/dist_train.sh configs/simclr_r18_cifar10.py 4
data = 'data/cifar10_split'
stages = dict(simclr=dict(parts=['simclr/r18']))
