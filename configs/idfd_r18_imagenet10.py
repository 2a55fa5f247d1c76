# IDFD on ImageNet-10 at 96 pixels, ResNet-18.
# Paper: NMI 0.898, ACC 0.954, ARI 0.901.
# tools/dist_train.sh configs/idfd_r18_imagenet10.py 1
data = 'data/imagenet10_96'
stages = dict(idfd=dict(parts=['idfd/r18_stl']))
