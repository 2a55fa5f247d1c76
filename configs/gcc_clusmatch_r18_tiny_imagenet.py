# GCC, then ClusMatch on it, on Tiny-ImageNet's 100,000 training images, with the ResNet-18 that ClusMatch takes there.
# Table 1, GCC: NMI 0.350, ACC 0.165, ARI 0.074. ClusMatch on it: NMI 0.403, ACC 0.225, ARI 0.109.
# tools/dist_train.sh configs/gcc_clusmatch_r18_tiny_imagenet.py 4
data = 'data/tiny_imagenet'
stages = dict(
    gcc=dict(parts=['gcc/r18_stl'], facts=dict(batch=128, zoom=80)),
    clusmatch=dict(on='gcc', parts=['gcc/clusmatch', 'views/enlarged_crops'], facts=dict(enlarged=73)))
