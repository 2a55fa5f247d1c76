# ClusMatch from a clustering that was found on other features: its surest rows are the trusted ones, in `targets`.
parts = ['folder/data', 'boosters/clusmatch']
facts = dict(epochs=8, val_interval=8, length=25, labelled=16, unlabelled=48, lr=0.01, decay=0.99)
model = dict(
    base=None,
    backbone='{backbone}',
    pseudo_label_loss=dict(decay=0.99))
hooks = dict(select=dict(selector=dict(type='GivenLabels', file='{targets}')))
optim_wrapper = dict(paramwise_cfg=dict(lr_mult=dict(backbone=0.1)))
default_hooks = dict(checkpoint=dict(interval=1))
