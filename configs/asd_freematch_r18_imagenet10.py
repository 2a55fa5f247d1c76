# ASD with FreeMatch on ImageNet-10 at 96 pixels, from random weights: no labels, no pre-training.
# Paper, ResNet-18, ImageNet-10, in %: ACC 91.1, NMI 84.6, ARI 81.9.
# tools/dist_train.sh configs/asd_freematch_r18_imagenet10.py 4
_base_ = [
    '_base_/runtime.py', '_base_/datasets/imagenet10.py', '_base_/models/asd_r18_stl.py', '_base_/asd_schedule.py'
]

train_dataloader = dict(
    dataset=dict(size=96),
    sampler=dict(
        length=1024,
        streams=dict(
            _delete_=True,
            unlabelled=dict(size=448),
            labelled=dict(size=40),
            anchor=dict(size=40, pool='anchor', order='fixed'))))
val_dataloader = dict(dataset=dict(size=96))
test_dataloader = val_dataloader
