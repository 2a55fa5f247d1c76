# GCC on Tiny-ImageNet's 100,000 training images, 200 clusters, with the ResNet-34 of the release.
# tools/dist_train.sh configs/gcc_r34_tiny_imagenet.py 4
data = 'data/tiny_imagenet'
stages = dict(gcc=dict(parts=['gcc/r34_stl']))
