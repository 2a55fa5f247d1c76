# ASD with FreeMatch on ImageNet-Dogs at 96 pixels, from random weights: no labels, no pre-training.
# Paper, ResNet-18, ImageNet-Dogs, in %: ACC 65.9, NMI 62.0, ARI 52.7.
# tools/dist_train.sh configs/asd_freematch_r18_imagenet_dogs.py 4
data = 'data/imagenet_dogs_96'
stages = dict(asd=dict(parts=['asd/r18_stl', 'losses/freematch']))
