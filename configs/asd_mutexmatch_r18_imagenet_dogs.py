# ASD with MutexMatch on ImageNet-Dogs: the config of FreeMatch with another loss.
# Paper, ResNet-18, ImageNet-Dogs, in %: ACC 65.1, NMI 61.6, ARI 52.5.
# tools/dist_train.sh configs/asd_mutexmatch_r18_imagenet_dogs.py 4
data = 'data/imagenet_dogs_96'
stages = dict(asd=dict(parts=['asd/r18_stl', 'losses/mutexmatch']))
