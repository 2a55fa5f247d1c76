# SimCLR on STL-10, split protocol: training and unlabelled images; the features of SCAN.
# On them the authors' best SCAN has ACC 79.2, NMI 67.3, ARI 61.8 and, self-labelled, 80.9, 69.8, 64.6 (%).
# tools/dist_train.sh configs/simclr_r18_stl10.py 4
data = 'data/stl10_pretext_split'
stages = dict(simclr=dict(parts=['simclr/r18_stl']))
