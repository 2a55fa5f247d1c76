# ASD_PS with FreeMatch on any base at the size of the photographs of hands, as on digits; RandAugment and cutout make the
# strong view.
parts = [
    'boosters/on_base', 'heads/linear', 'asd/method', 'boosters/averaged', 'asd/prototypes', 'boosters/sign_digits',
    'schedules/fixmatch', 'asd/fast_labels', 'losses/freematch_digits']
facts = dict(epochs=18, val_interval=6, labelled=40, window=100, map_interval=100)
model = dict(head=dict(in_channels='{embed}'), labeller=dict(reg=1.))   # trained features lie far apart
train_dataloader = dict(sampler=dict(length='{length}'))
