# ClusMatch for a budget of processor time, on crops of 24 pixels: k-means every third epoch, as a sweep of the whole set
# costs as much as 50 steps.
parts = ['boosters/clusmatch', 'views/weak_strong']
facts = dict(
    size=24, epochs=36, val_interval=6, length=100, unlabelled=192, decay=0.99,
    crop=dict(_delete_=True, type='BatchRandomResizedCrop', size='{size}', scale=(0.5, 1.), flip_prob='{flip}'))
model = dict(pseudo_label_loss=dict(decay=0.99), channels_last=True)
hooks = dict(kmeans=dict(interval=3))
