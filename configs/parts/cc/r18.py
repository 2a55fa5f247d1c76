# CC in ProPos' setting: the CIFAR-stem ResNet-18 and images of their own size, not 224 pixels.
parts = ['nets/r18_cifar', 'nets/release_init', 'cc/method', 'views/simclr']
facts = dict(hidden=512)
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
