# ASD as a booster; a part of losses says for which semi-supervised learner.
parts = ['views/normalise', 'asd/labels']
model = dict(type='Boost')
hooks = dict(teacher=None, collapse=dict(type='CollapseHook'))
metrics = dict(
    kmeans=None,    # a place for asd/cnn_digits
    head=dict(type='ClusteringMetric', source='head'))
