# ASD_PS with FreeMatch on ImageNet-10: prototypes with their neighbours as labelled rows, chosen anew each epoch.
# Paper, ResNet-18, ImageNet-10, in %: ACC 91.5, NMI 86.1, ARI 82.2.
# tools/dist_train.sh configs/asd_ps_freematch_r18_imagenet10.py 4
data = 'data/imagenet10_96'
stages = dict(asd=dict(parts=['asd/r18_stl', 'asd/prototypes', 'losses/freematch']))
