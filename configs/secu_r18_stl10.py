# SeCu with a least size of clusters on STL-10, the first stage of the release: training and unlabelled images, 105,000.
# The release has no script of its second stage, which the quoted figures may need.
# Quoted in ClusMatch's Table 1: NMI 0.733, ACC 0.836, ARI 0.693.
# tools/dist_train.sh configs/secu_r18_stl10.py 4 --amp
data = 'data/stl10_pretext_split'
stages = dict(secu=dict(parts=['secu/r18_stl']))
