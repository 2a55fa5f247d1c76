# Sign language digits: 2,062 photographs of hands in 10 class folders, 64 x 64 pixels, in-memory door, train = test.
# python tools/dataset_converters/unpack_archive.py sign_digits_64.tar --expect 2062
source = dict(type='ClassFolderSource', root='data/sign_digits_64', splits=None)
train_dataloader = dict(
    batch_size=None,
    num_workers=0,
    collate_fn=dict(type='mmcluster.identity'),
    dataset=dict(type='IndexedDataset', source=source, size=64),
    sampler=dict(type='StreamSampler', streams=dict(batch=dict(size=128))))
val_dataloader = dict(
    batch_size=None,
    num_workers=0,
    collate_fn=dict(type='mmcluster.identity'),
    dataset=dict(type='IndexedDataset', source=source, size=64, test_mode=True),
    sampler=dict(type='SweepSampler', batch_size=512))
test_dataloader = val_dataloader
