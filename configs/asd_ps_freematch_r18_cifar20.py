# ASD_PS with FreeMatch on CIFAR-20: prototypes with their neighbours as labelled rows, chosen anew each epoch.
# Paper, ResNet-18, CIFAR-20, in %: ACC 45.2, NMI 44.3, ARI 23.7.
# tools/dist_train.sh configs/asd_ps_freematch_r18_cifar20.py 4
_base_ = ['asd_freematch_r18_cifar20.py']

model = dict(bank=dict(fields=dict(pool=dict())))
train_dataloader = dict(sampler=dict(streams=dict(labelled=dict(pool='pool'))))
custom_hooks = [
    dict(type='SelectHook', field='pool', interval=1, selector=dict(
        type='AccompaniedPrototypes', num_clusters=20, per_cluster=4, n_init=10)),
    *_base_.custom_hooks,
]
