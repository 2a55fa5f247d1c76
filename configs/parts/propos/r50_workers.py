# ProPos with torchvision's ResNet-50 on photographs of a thousand classes, as in the release: LARS, steps of 4096 images
# in 16 passes of 256, a teacher that moves once a step and whose decay rises, a queue, a small weight of the prototypes,
# batch norm over all processes, k-means every tenth epoch. 312 steps see all but 3,215 images of ImageNet an epoch,
# others each time.
parts = ['nets/r50', 'propos/method', 'views/secu_workers', 'schedules/propos']
facts = dict(epochs=200, warmup=10, rate_warmup=10, psl_weight=0.001, sigma=1e-4, lr=4.8, passes=16, length=4992)
model = dict(queue_size=10240, shuffle_bn=False, decay=0.99)
train_dataloader = dict(sampler=dict(length='{length}'))
optim_wrapper = dict(
    accumulative_counts='{passes}',
    optimizer=dict(_delete_=True, type='LARS', lr='{lr}', momentum=0.9, weight_decay=1e-6, eta=0.001),
    paramwise_cfg=dict(_delete_=True))
hooks = dict(
    rests=dict(type='AccumulationHook'),
    decay=dict(type='ScheduleHook', param='teacher.decay', cosine=dict(start=0.99, end=1.)),
    kmeans=dict(interval=10, batch_size=256, num_workers=8))
sync_bn = 'torch'
