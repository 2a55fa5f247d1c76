# Files of any size, decoded once to squares of `size` pixels and kept in memory.
parts = ['data/memory']
train_dataloader = dict(dataset=dict(size='{size}'))
val_dataloader = dict(dataset=dict(size='{size}'))
