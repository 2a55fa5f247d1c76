# ASD_PS with FreeMatch on any base at the size of MNIST, as on digits.
parts = [
    'boosters/on_base', 'heads/linear', 'views/weak_strong_mnist', 'asd/method', 'boosters/averaged', 'asd/prototypes',
    'schedules/fixmatch', 'asd/fast_labels', 'losses/freematch_digits']
facts = dict(
    epochs=16, val_interval=8, length=100, lr=0.01, decay=0.99, unlabelled=192, window=100, map_interval=100)
model = dict(labeller=dict(reg=1.))   # trained features lie far apart
train_dataloader = dict(sampler=dict(length='{length}'))
