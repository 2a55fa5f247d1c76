# ASD_PS with FreeMatch on ImageNet-Dogs: prototypes with their neighbours as labelled rows, chosen anew each epoch.
# Paper, ResNet-18, ImageNet-Dogs, in %: ACC 66.3, NMI 62.7, ARI 53.4.
# tools/dist_train.sh configs/asd_ps_freematch_r18_imagenet_dogs.py 4
data = 'data/imagenet_dogs_96'
stages = dict(asd=dict(parts=['asd/r18_stl', 'asd/prototypes', 'losses/freematch']))
