# CC on ImageNet-Dogs at 224 pixels, ResNet-34, images through workers.
# Quoted in ClusMatch's Table 1: NMI 0.445, ACC 0.429, ARI 0.274.
# tools/dist_train.sh configs/cc_r34_imagenet_dogs.py 4
data = 'data/imagenet_dogs_workers'
stages = dict(cc=dict(parts=['cc/r34_workers']))
