# ASD in the place of SPICE's reliable labels: its views and schedule. The first map comes after five passes over the
# data.
parts = ['asd/on_host', 'data/imagenet_statistics', 'views/weak_strong_spice', 'schedules/fixmatch_long']
facts = dict(first_map=560)
train_dataloader = dict(sampler=dict(streams=dict(unlabelled=dict(order='replace'))))
hooks = dict(transitions=dict(first='{first_map}'))
optim_wrapper = dict(paramwise_cfg=dict(no_decay='norm'))
auto_scale_lr = dict(base_batch_size='{unlabelled}')  # rows of the first stream
