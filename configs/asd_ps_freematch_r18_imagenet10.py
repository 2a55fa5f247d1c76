# ASD_PS with FreeMatch on ImageNet-10: prototypes with their neighbours as labelled rows, chosen anew each epoch.
# Paper, ResNet-18, ImageNet-10, in %: ACC 91.5, NMI 86.1, ARI 82.2.
# tools/dist_train.sh configs/asd_ps_freematch_r18_imagenet10.py 4
_base_ = ['asd_freematch_r18_imagenet10.py']

model = dict(bank=dict(fields=dict(pool=dict())))
train_dataloader = dict(sampler=dict(streams=dict(labelled=dict(pool='pool'))))
custom_hooks = [
    dict(type='SelectHook', field='pool', interval=1, selector=dict(
        type='AccompaniedPrototypes', num_clusters=10, per_cluster=4, n_init=10)),
    *_base_.custom_hooks,
]
