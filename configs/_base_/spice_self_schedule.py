# SPICE's heads: Adam at a constant rate. An iteration is an E-step with its M-steps, an epoch as many as fill the data.
train_cfg = dict(type='InnerStepLoop', max_epochs=30, val_interval=10)
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='Adam', lr=0.005))
