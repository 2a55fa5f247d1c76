# CC on ImageNet-Dogs at 224 pixels, ResNet-34, images through workers.
# Quoted in ClusMatch's Table 1: NMI 0.445, ACC 0.429, ARI 0.274.
# tools/dist_train.sh configs/cc_r34_imagenet_dogs.py 4
_base_ = ['_base_/runtime.py', '_base_/datasets/imagenet10_224.py', '_base_/models/cc_r34.py', '_base_/cc_schedule.py']

model = dict(data_preprocessor=dict(views=None, test=[]), head=dict(num_clusters=15))
source = dict(classes='imagenet_dogs')
train_dataloader = dict(dataset=dict(source=source))
val_dataloader = dict(dataset=dict(source=source))
test_dataloader = val_dataloader
