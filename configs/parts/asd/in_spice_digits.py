# ASD in SPICE at the size of digits: short, since the head is better than what the features tell, and would follow
# them.
parts = ['asd/on_host', 'views/weak_strong_digits', 'schedules/fixmatch', 'asd/fast_labels']
facts = dict(
    epochs=8, val_interval=4, length=50, lr=3e-4, decay=0.99, unlabelled=192, window=200, map_interval=200,
    weak=[dict(type='BatchAffine', degrees=5, translate=(0.05, 0.05))])
train_dataloader = dict(sampler=dict(length='{length}', streams=dict(unlabelled=dict(order='replace'))))
optim_wrapper = dict(optimizer=dict(_delete_=True, type='Adam', lr='{lr}', weight_decay=1e-4))
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
