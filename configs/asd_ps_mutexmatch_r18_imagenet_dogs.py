# ASD_PS with MutexMatch on ImageNet-Dogs: the config of FreeMatch with another loss.
# Paper, ResNet-18, ImageNet-Dogs, in %: ACC 66.5, NMI 62.0, ARI 52.9.
# tools/dist_train.sh configs/asd_ps_mutexmatch_r18_imagenet_dogs.py 4
data = 'data/imagenet_dogs_96'
stages = dict(asd=dict(parts=['asd/r18_stl', 'asd/prototypes', 'losses/mutexmatch']))
