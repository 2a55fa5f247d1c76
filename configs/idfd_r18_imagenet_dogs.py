# IDFD on ImageNet-Dogs at 96 pixels, ResNet-18.
# Paper: NMI 0.546, ACC 0.591, ARI 0.413.
# tools/dist_train.sh configs/idfd_r18_imagenet_dogs.py 1
data = 'data/imagenet_dogs_96'
stages = dict(idfd=dict(parts=['idfd/r18_stl']))
