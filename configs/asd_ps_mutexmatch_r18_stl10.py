# ASD_PS with MutexMatch on STL-10: the config of FreeMatch with another loss.
# Paper, ResNet-18, STL-10, in %: ACC 75.9, NMI 62.9, ARI 56.4.
# tools/dist_train.sh configs/asd_ps_mutexmatch_r18_stl10.py 4
data = 'data/stl10_split'
stages = dict(asd=dict(parts=['asd/r18_stl', 'asd/prototypes', 'losses/mutexmatch']))
