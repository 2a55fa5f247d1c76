# SCAN's self-labelling: a strong view learns what the plain image is confident of. The loss has the release's
# threshold, 0.99, and balance of classes by default.
parts = ['views/normalise', 'schedules/scan']
facts = dict(batch=1000)
model = dict(
    type='Boost',
    bank=dict(num_samples=None),
    data_preprocessor=dict(views=dict(unlabelled=[[], '{strong}'])),
    base='{on.network}',
    pseudo_label_loss=dict(type='ConfidenceLoss'))
train_dataloader = dict(sampler=dict(streams=dict(unlabelled=dict(size='{batch}'))))
metrics = dict(head=dict(type='ClusteringMetric', source='head'))
