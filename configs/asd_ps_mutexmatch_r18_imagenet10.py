# ASD_PS with MutexMatch on ImageNet-10: the config of FreeMatch with another loss.
# Paper, ResNet-18, ImageNet-10, in %: ACC 89.5, NMI 85.2, ARI 83.7.
# tools/dist_train.sh configs/asd_ps_mutexmatch_r18_imagenet10.py 4
data = 'data/imagenet10_96'
stages = dict(asd=dict(parts=['asd/r18_stl', 'asd/prototypes', 'losses/mutexmatch']))
