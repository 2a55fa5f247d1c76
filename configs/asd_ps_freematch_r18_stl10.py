# ASD_PS with FreeMatch on STL-10: prototypes with their neighbours as labelled rows, chosen anew each epoch.
# Paper, ResNet-18, STL-10, in %: ACC 78.8, NMI 71.5, ARI 60.3.
# tools/dist_train.sh configs/asd_ps_freematch_r18_stl10.py 4
data = 'data/stl10_split'
stages = dict(asd=dict(parts=['asd/r18_stl', 'asd/prototypes', 'losses/freematch']))
