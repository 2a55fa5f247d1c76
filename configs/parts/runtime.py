# Hooks, logging and environment of every config.
default_scope = 'mmcluster'
default_hooks = dict(
    runtime_info=dict(type='RuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', interval=10, max_keep_ckpts=1),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    seed=dict(type='SeedHook'),
    pools=dict(type='PoolHook'),
    batch_norm=dict(type='BroadcastBNHook'),
    result=dict(type='ResultHook'))
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'))
visualizer = dict(type='Visualizer', vis_backends=[dict(type='LocalVisBackend')])
log_processor = dict(by_epoch=True, window_size=50)
log_level = 'INFO'
randomness = dict(seed=0)
val_cfg = dict()
test_cfg = dict()
