# CC on ImageNet-10 at 224 pixels, ResNet-34, images through workers.
# Quoted in ClusMatch's Table 1: NMI 0.859, ACC 0.893, ARI 0.822.
# tools/dist_train.sh configs/cc_r34_imagenet10.py 4
data = 'data/imagenet10_workers'
stages = dict(cc=dict(parts=['cc/r34_workers']))
