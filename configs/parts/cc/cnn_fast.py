# CC for a budget of processor time: crops of 24 pixels cost half as much as 32 and, as they show a part of an image, show
# it at the scale of the whole image of 32 that is evaluated. The rate falls to 0, so that a run of any length ends well.
parts = ['nets/cnn_fast', 'cc/method', 'schedules/adam_to_zero', 'views/simclr']
facts = dict(size=24, least_area=0.2, hidden=256, epochs=36, val_interval=6, lr=2e-3)
network = dict(mean=[125.307, 122.961, 113.8575], std=[51.5865, 50.847, 51.255])
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
