# SPICE's heads: Adam. An iteration is an E-step with its M-steps, an epoch as many as fill the data.
facts = dict(epochs=30, val_interval=10)
train_cfg = dict(type='InnerStepLoop', max_epochs='{epochs}', val_interval='{val_interval}')
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='Adam', lr=0.005))
