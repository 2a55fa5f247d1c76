# GCC on ImageNet-10 at 96 pixels.
# Quoted in ClusMatch's Table 1: NMI 0.842, ACC 0.901, ARI 0.822.
# tools/dist_train.sh configs/gcc_r18_imagenet10.py 4
data = 'data/imagenet10_96'
stages = dict(gcc=dict(parts=['gcc/r18_stl']))
