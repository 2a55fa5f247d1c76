# CC on ImageNet-10 at 224 pixels, ResNet-34, images through workers.
# Quoted in ClusMatch's Table 1: NMI 0.859, ACC 0.893, ARI 0.822.
# tools/dist_train.sh configs/cc_r34_imagenet10.py 4
_base_ = ['_base_/runtime.py', '_base_/datasets/imagenet10_224.py', '_base_/models/cc_r34.py', '_base_/cc_schedule.py']

model = dict(data_preprocessor=dict(views=None, test=[]))
