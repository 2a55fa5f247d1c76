# ClusMatch on any base: selected rows, adaptive thresholds, k-means labels every epoch.
parts = ['boosters/boost', 'losses/clusmatch']
hooks = dict(kmeans=dict(type='KMeansHook', align_to='target'))
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
