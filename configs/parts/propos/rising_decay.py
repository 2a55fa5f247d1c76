# ProPos where classes are finer (CIFAR-20, ImageNet-Dogs): the teacher's decay rises to 1 and moves before the forward
# pass, both views go through the network as one batch, and rows are drawn so that clusters are balanced.
model = dict(ema_before_forward=True, joint_views=True)
train_dataloader = dict(sampler=dict(streams=dict(batch=dict(order='replace', balance='label'))))
hooks = dict(decay=dict(type='ScheduleHook', param='teacher.decay', cosine=dict(start='{decay}', end=1.)))
