# A booster at the size of the photographs of hands: minutes on one CPU thread.
parts = ['views/weak_strong']
facts = dict(epochs=8, val_interval=4, length=25, labelled=32, unlabelled=96, lr=0.01, decay=0.99, share=0.2)
model = dict(channels_last=True)
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
