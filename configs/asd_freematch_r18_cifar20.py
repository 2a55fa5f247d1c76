# ASD with FreeMatch on CIFAR-20, split protocol, from random weights: no labels, no pre-training.
# Paper, ResNet-18, CIFAR-20, in %: ACC 43.2, NMI 43.9, ARI 23.2.
# tools/dist_train.sh configs/asd_freematch_r18_cifar20.py 4
_base_ = [
    '_base_/runtime.py', '_base_/datasets/cifar20_split.py', '_base_/models/asd_r18_cifar.py', '_base_/asd_schedule.py'
]

model = dict(
    data_preprocessor=dict(mean=[129.3, 124.1, 112.4], std=[68.2, 65.4, 70.4]),
    head=dict(num_clusters=20),
    labeller=dict(num_clusters=20, num_labelled=80),
    pseudo_label_loss=dict(num_clusters=20))
train_dataloader = dict(sampler=dict(
    length=1024,
    streams=dict(
        _delete_=True,
        unlabelled=dict(size=448),
        labelled=dict(size=80),
        anchor=dict(size=80, pool='anchor', order='fixed'))))
optim_wrapper = dict(optimizer=dict(weight_decay=1e-3))
