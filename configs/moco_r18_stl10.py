# MoCo v2 on STL-10, split protocol: training and unlabelled images; the features of SPICE.
# Table IV, ResNet-18, k-means on them: ACC 79.7 +- 4.6 (%). SPICE_s (Table III): ACC 86.2, NMI 75.6, ARI 73.2 (%).
# tools/dist_train.sh configs/moco_r18_stl10.py 4
data = 'data/stl10_pretext_split'
stages = dict(moco=dict(parts=['moco/r18_stl']))
