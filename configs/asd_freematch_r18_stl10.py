# ASD with FreeMatch on STL-10, split protocol, from random weights: no labels, no pre-training.
# Paper, ResNet-18, STL-10, in %: ACC 77.1, NMI 70.0, ARI 69.2.
# tools/dist_train.sh configs/asd_freematch_r18_stl10.py 4
# With the unlabelled images, of which not all belong to a class:
#   --cfg-options facts.source.split=train+unlabeled
data = 'data/stl10_split'
stages = dict(asd=dict(parts=['asd/r18_stl', 'losses/freematch']))
