# The head of instance classes starts from nothing beside a trained network.
optim_wrapper = dict(
    constructor='GroupedOptimWrapperConstructor', paramwise_cfg=dict(lr_mult=dict(labeller=10.)))
