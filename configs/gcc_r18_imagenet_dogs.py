# GCC on ImageNet-Dogs at 96 pixels.
# Quoted in ClusMatch's Table 1: NMI 0.583, ACC 0.630, ARI 0.479.
# tools/dist_train.sh configs/gcc_r18_imagenet_dogs.py 4
data = 'data/imagenet_dogs_96'
stages = dict(gcc=dict(parts=['gcc/r18_stl']))
