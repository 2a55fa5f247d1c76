# The first epochs of GCC as a stage of its own, for a data set that has more images than are clustered: no graph.
facts = dict(epochs=47, val_interval=47, course=1000)
train_dataloader = dict(sampler=dict(streams=dict(_delete_=True, batch=dict(size='{batch}'))))
hooks = dict(graph=None)
param_scheduler = dict(T_max='{course}')
metrics = dict(head=None, kmeans=dict(type='ClusteringMetric', source='kmeans'))     # the head has not begun
