# scikit-learn's handwritten digits: 1,797 grey images of 8 x 8 pixels, in-memory door, train = test.
train_dataloader = dict(
    batch_size=None,
    num_workers=0,
    collate_fn=dict(type='mmcluster.identity'),
    dataset=dict(type='IndexedDataset', source=dict(type='DigitsSource')),
    sampler=dict(type='StreamSampler', streams=dict(batch=dict(size=128))))
val_dataloader = dict(
    batch_size=None,
    num_workers=0,
    collate_fn=dict(type='mmcluster.identity'),
    dataset=dict(type='IndexedDataset', source=dict(type='DigitsSource'), test_mode=True),
    sampler=dict(type='SweepSampler', batch_size=512))
test_dataloader = val_dataloader
