# ASD with FreeMatch on ImageNet-Dogs at 96 pixels, from random weights: no labels, no pre-training.
# Paper, ResNet-18, ImageNet-Dogs, in %: ACC 65.9, NMI 62.0, ARI 52.7.
# tools/dist_train.sh configs/asd_freematch_r18_imagenet_dogs.py 4
_base_ = [
    '_base_/runtime.py', '_base_/datasets/imagenet_dogs.py', '_base_/models/asd_r18_stl.py', '_base_/asd_schedule.py'
]

model = dict(
    head=dict(num_clusters=15),
    labeller=dict(num_clusters=15, num_labelled=60),
    pseudo_label_loss=dict(num_clusters=15))
train_dataloader = dict(
    dataset=dict(size=96),
    sampler=dict(
        length=1024,
        streams=dict(
            _delete_=True,
            unlabelled=dict(size=448),
            labelled=dict(size=60),
            anchor=dict(size=60, pool='anchor', order='fixed'))))
val_dataloader = dict(dataset=dict(size=96))
test_dataloader = val_dataloader
