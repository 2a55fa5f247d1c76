# RUC: `epochs` of both networks together; Nesterov SGD, a cosine to 0 that moves once an epoch.
facts = dict(epochs=400, val_interval=20, batch=250)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs='{epochs}', val_interval='{val_interval}')
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4))
param_scheduler = dict(type='CosineAnnealingLR', T_max='{epochs}')
sync_bn = 'torch'
find_unused_parameters = True   # the network that rests has no gradient
