# ASD_PS with FreeMatch on any base at the size of digits: a new head on the embedding, prototypes chosen each epoch.
parts = [
    'boosters/on_base', 'heads/linear', 'asd/method', 'boosters/averaged', 'asd/prototypes', 'views/weak_strong_digits',
    'schedules/fixmatch', 'asd/fast_labels', 'losses/freematch_digits']
facts = dict(
    epochs=16, val_interval=8, length=50, lr=0.01, decay=0.99, unlabelled=192, window=100, map_interval=100,
    weak=[dict(type='BatchAffine', degrees=5, translate=(0.05, 0.05))])
model = dict(labeller=dict(reg=1.))   # trained features lie far apart
train_dataloader = dict(sampler=dict(length='{length}'))
