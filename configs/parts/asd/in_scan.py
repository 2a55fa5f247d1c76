# ASD in the place of SCAN's self-labelling: its rate, batch, epochs and strong view. The first map comes after five
# passes over the data.
parts = ['asd/on_host', 'views/weak_strong', 'views/scan', 'schedules/scan', 'asd/fast_labels']
facts = dict(epochs=200, val_interval=10, unlabelled=1000, decay=0.99, first_map=250)
hooks = dict(transitions=dict(first='{first_map}'))
sync_bn = 'torch'
