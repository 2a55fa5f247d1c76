# Pseudo-labels of a few labelled and many other rows. Other parts say where labels come from, and which loss.
parts = ['boosters/order', 'views/normalise', 'schedules/fixmatch', 'boosters/averaged']
facts = dict(labelled=64, unlabelled=448, length=1024)
model = dict(type='Boost', bank=dict(num_samples=None), labeller=dict(type='SelectedLabels'))
train_dataloader = dict(sampler=dict(length='{length}', streams=dict(
    labelled=dict(size='{labelled}', pool='target'), unlabelled=dict(size='{unlabelled}'))))
metrics = dict(head=dict(type='ClusteringMetric', source='head'))
