# ASD with a small CNN from random weights on digits. Wider shifts and scales than these blur the digits' instance
# classes before they tell anything.
parts = [
    'nets/cnn_digits', 'heads/linear', 'asd/labelled_first', 'asd/method', 'boosters/averaged',
    'views/weak_strong_digits', 'schedules/fixmatch']
facts = dict(
    epochs=24, val_interval=8, length=50, lr=0.03, decay=0.99, unlabelled=280, window=100, map_interval=50,
    weak=[dict(type='BatchAffine', degrees=5, translate=(0.05, 0.05))],
    strong=[dict(type='BatchAffine', degrees=15, translate=(0.1, 0.1), scale=(0.85, 1.15), shear=(10, 10))])
model = dict(labeller=dict(reg=0.5))    # random rows are not balanced like the anchors
train_dataloader = dict(sampler=dict(length='{length}'))
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
