# ProPos with torchvision's ResNet-50 on photographs, as its release trains on ImageNet: LARS and large batches, BYOL's two
# views, small weights of both terms, k-means every ten epochs, a queue that joins the prototypes.
parts = ['nets/r50', 'propos/method', 'views/secu_workers', 'schedules/propos']
facts = dict(
    epochs=200, val_interval=10, warmup=10, rate_warmup=10, batch=4096, lr=4.8, psl_weight=0.001, sigma=1e-4)
model = dict(queue_size=10240, shuffle_bn=False)
hooks = dict(
    decay=dict(type='ScheduleHook', param='teacher.decay', cosine=dict(start=0.99, end=1.)),
    kmeans=dict(interval=10, batch_size=256, num_workers=8))
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='LARS', lr='{lr}', momentum=0.9, weight_decay=1e-6),
    paramwise_cfg=dict(_delete_=True, no_decay='norm_bias'))
sync_bn = 'torch'
