# As ClusMatch's release trains: a slow backbone, a checkpoint every epoch, batch norm over all processes.
optim_wrapper = dict(paramwise_cfg=dict(lr_mult=dict(backbone=0.01)))
default_hooks = dict(checkpoint=dict(interval=1))
sync_bn = 'torch'
auto_scale_lr = dict(base_batch_size='{labelled}')  # rows of the first stream
