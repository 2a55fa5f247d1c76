# ProPos on ImageNet-1K, ResNet-50, as in its release.
# Table 4, ResNet-50, ImageNet-1K: AMI 52.5 (%). ClusMatch's Table 1, of the same: NMI 0.686, ACC 0.465, ARI 0.339.
# tools/dist_train.sh configs/propos_r50_imagenet.py 8 --amp
data = 'data/imagenet_workers'
stages = dict(propos=dict(parts=['propos/r50_workers']))
