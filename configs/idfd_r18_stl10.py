# IDFD on STL-10, 13,000 labelled images at 96 pixels, ResNet-18.
# Paper: NMI 0.643, ACC 0.756, ARI 0.575.
# tools/dist_train.sh configs/idfd_r18_stl10.py 1
data = 'data/stl10'
stages = dict(idfd=dict(parts=['idfd/r18_stl']))
