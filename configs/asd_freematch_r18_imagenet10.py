# ASD with FreeMatch on ImageNet-10 at 96 pixels, from random weights: no labels, no pre-training.
# Paper, ResNet-18, ImageNet-10, in %: ACC 91.1, NMI 84.6, ARI 81.9.
# tools/dist_train.sh configs/asd_freematch_r18_imagenet10.py 4
data = 'data/imagenet10_96'
stages = dict(asd=dict(parts=['asd/r18_stl', 'losses/freematch']))
