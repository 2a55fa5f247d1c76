# ASD with MutexMatch on ImageNet-10: the config of FreeMatch with another loss.
# Paper, ResNet-18, ImageNet-10, in %: ACC 88.3, NMI 83.2, ARI 80.1.
# tools/dist_train.sh configs/asd_mutexmatch_r18_imagenet10.py 4
data = 'data/imagenet10_96'
stages = dict(asd=dict(parts=['asd/r18_stl', 'losses/mutexmatch']))
