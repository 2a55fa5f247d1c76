# Images decoded once and kept in memory; views are made in batches. A data set states `source`, and `test_source` if it
# is evaluated on other images. `flip` is how often a view is mirrored.
facts = dict(test_source='{source}', flip=0.5)
train_dataloader = dict(
    batch_size=None,
    num_workers=0,
    collate_fn=dict(type='mmcluster.identity'),
    dataset=dict(type='IndexedDataset', source='{source}'),
    sampler=dict(type='StreamSampler'))
val_dataloader = dict(
    batch_size=None,
    num_workers=0,
    collate_fn=dict(type='mmcluster.identity'),
    dataset=dict(type='IndexedDataset', source='{test_source}', test_mode=True),
    sampler=dict(type='SweepSampler', batch_size=512))
