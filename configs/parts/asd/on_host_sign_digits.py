# ASD in the place of a host's labels at the size of the photographs of hands.
parts = ['asd/on_host', 'boosters/sign_digits', 'schedules/scan', 'asd/fast_labels']
facts = dict(
    epochs=18, val_interval=6, lr=3e-4, labelled='{per_cluster} * {num_clusters}', window=100, map_interval=100)
train_dataloader = dict(sampler=dict(length='{length}'))
