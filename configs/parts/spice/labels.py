# SPICE's joint training: FixMatch from a random start on the reliable labels of the heads, the stage `spice_self`.
parts = ['views/normalise', 'heads/linear', 'losses/fixmatch', 'select/by_consistency', 'boosters/averaged']
facts = dict(labelled=64, unlabelled=448)
model = dict(type='Boost', bank=dict(num_samples=None), labeller=dict(type='SelectedLabels'))
train_dataloader = dict(sampler=dict(
    length='{length}',
    streams=dict(
        labelled=dict(size='{labelled}', pool='target', order='replace'),
        unlabelled=dict(size='{unlabelled}', order='replace'))))
optim_wrapper = dict(paramwise_cfg=dict(no_decay='norm'))
hooks = dict(select=dict(type='SelectHook', network='{spice_self.model}'))
metrics = dict(
    kmeans=dict(type='ClusteringMetric', source='kmeans'),
    head=dict(type='ClusteringMetric', source='head'))
