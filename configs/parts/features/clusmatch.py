# ClusMatch on stored views of features, from a clustering that was found on them: `start` and `head` hold its map and
# its linear head, `targets` its surest rows.
parts = ['data/features', 'boosters/clusmatch', 'heads/linear', 'views/stored_weak_strong', 'features/whitened']
facts = dict(epochs=4, val_interval=4, length=100, labelled=64, unlabelled=448, lr=0.1, decay=0.99)
model = dict(
    backbone=dict(features=None, init_cfg=dict(type='Pretrained', checkpoint='{start}')),
    head=dict(init_cfg=dict(type='Pretrained', checkpoint='{head}')),
    pseudo_label_loss=dict(decay=0.99))
hooks = dict(select=dict(selector=dict(type='GivenLabels', file='{targets}')))
optim_wrapper = dict(paramwise_cfg=dict(lr_mult=dict(backbone=0.1)))
default_hooks = dict(checkpoint=dict(interval=1))
