# ASD with MutexMatch on STL-10: the config of FreeMatch with another loss.
# Paper, ResNet-18, STL-10, in %: ACC 74.2, NMI 62.6, ARI 55.3.
# tools/dist_train.sh configs/asd_mutexmatch_r18_stl10.py 4
data = 'data/stl10_split'
stages = dict(asd=dict(parts=['asd/r18_stl', 'losses/mutexmatch']))
