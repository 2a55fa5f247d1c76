# FixMatch and its successors: 2^20 iterations as 1024 epochs of 1024, no warm-up.
parts = ['schedules/fixmatch']
facts = dict(epochs=1024, val_interval=16, length=1024, lr=0.03)
train_dataloader = dict(sampler=dict(length='{length}'))
sync_bn = 'torch'
