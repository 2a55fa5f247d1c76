# GCC, then ClusMatch on it, on ImageNet-10 at 96 pixels.
# Table 1, GCC: NMI 0.842, ACC 0.901, ARI 0.822. ClusMatch on it: NMI 0.897, ACC 0.956, ARI 0.906.
# tools/dist_train.sh configs/gcc_clusmatch_r18_imagenet10.py 4
data = 'data/imagenet10_96'
stages = dict(
    gcc=dict(parts=['gcc/r18_stl']),
    clusmatch=dict(on='gcc', parts=['gcc/clusmatch', 'views/enlarged_crops'], facts=dict(enlarged=109)))
