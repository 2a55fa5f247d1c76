# GCC, then ClusMatch on it, on ImageNet-Dogs at 96 pixels.
# Table 1, GCC: NMI 0.583, ACC 0.630, ARI 0.479. ClusMatch on it: NMI 0.678, ACC 0.730, ARI 0.596.
# tools/dist_train.sh configs/gcc_clusmatch_r18_imagenet_dogs.py 4
data = 'data/imagenet_dogs_96'
stages = dict(
    gcc=dict(parts=['gcc/r18_stl']),
    clusmatch=dict(on='gcc', parts=['gcc/clusmatch', 'views/enlarged_crops'], facts=dict(enlarged=109)))
