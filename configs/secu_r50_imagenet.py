# SeCu with a least size of clusters on ImageNet-1K, ResNet-50, heads of 1000 to 10,000 clusters.
# ClusMatch's own run of it, Table 1: NMI 0.739, ACC 0.521, ARI 0.404.
# tools/dist_train.sh configs/secu_r50_imagenet.py 8 --amp
data = 'data/imagenet_workers'
stages = dict(secu=dict(parts=['secu/r50_workers']))
