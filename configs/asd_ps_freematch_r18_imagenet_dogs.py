# ASD_PS with FreeMatch on ImageNet-Dogs: prototypes with their neighbours as labelled rows, chosen anew each epoch.
# Paper, ResNet-18, ImageNet-Dogs, in %: ACC 66.3, NMI 62.7, ARI 53.4.
# tools/dist_train.sh configs/asd_ps_freematch_r18_imagenet_dogs.py 4
_base_ = ['asd_freematch_r18_imagenet_dogs.py']

model = dict(bank=dict(fields=dict(pool=dict())))
train_dataloader = dict(sampler=dict(streams=dict(labelled=dict(pool='pool'))))
custom_hooks = [
    dict(type='SelectHook', field='pool', interval=1, selector=dict(
        type='AccompaniedPrototypes', num_clusters=15, per_cluster=4, n_init=10)),
    *_base_.custom_hooks,
]
