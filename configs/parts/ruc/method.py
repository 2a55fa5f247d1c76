# RUC on a clustering: two networks train in turn, and correct each other's labels. The weight of unlabelled rows rises.
parts = ['views/normalise', 'heads/linear', 'schedules/ruc']
facts = dict(unsup_weight=25., least_weight=2.5)
model = dict(type='RUC', bank=dict(num_samples=None), base='{on.network}')
hooks = dict(
    turn=dict(type='TurnHook'),
    unsup_weight=dict(
        type='ScheduleHook', param='unsup_weight', linear=dict(start=0., end='{unsup_weight}', least='{least_weight}')),
    threshold=None)     # a place for ruc/rising_threshold
metrics = dict(head=dict(type='ClusteringMetric', source='head'))
