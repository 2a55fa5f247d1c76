# CIFAR-100 with its 20 superclasses, train + test, in-memory door.
source = dict(type='CIFAR100Source', root='data/cifar100', split='train+test', coarse=True)
train_dataloader = dict(
    batch_size=None,
    num_workers=0,
    collate_fn=dict(type='mmcluster.identity'),
    dataset=dict(type='IndexedDataset', source=source),
    sampler=dict(type='StreamSampler', streams=dict(batch=dict(size=256))))
val_dataloader = dict(
    batch_size=None,
    num_workers=0,
    collate_fn=dict(type='mmcluster.identity'),
    dataset=dict(type='IndexedDataset', source=source, test_mode=True),
    sampler=dict(type='SweepSampler', batch_size=512))
test_dataloader = val_dataloader
