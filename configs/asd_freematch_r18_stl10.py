# ASD with FreeMatch on STL-10, split protocol, from random weights: no labels, no pre-training.
# Paper, ResNet-18, STL-10, in %: ACC 77.1, NMI 70.0, ARI 69.2.
# tools/dist_train.sh configs/asd_freematch_r18_stl10.py 4
# With the unlabelled images, of which not all belong to a class:
#   --cfg-options train_dataloader.dataset.source.split=train+unlabeled
_base_ = [
    '_base_/runtime.py', '_base_/datasets/stl10_split.py', '_base_/models/asd_r18_stl.py', '_base_/asd_schedule.py'
]

train_dataloader = dict(sampler=dict(
    length=1024,
    streams=dict(
        _delete_=True,
        unlabelled=dict(size=448),
        labelled=dict(size=40),
        anchor=dict(size=40, pool='anchor', order='fixed'))))
