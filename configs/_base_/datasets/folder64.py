# Any folder of images, with or without class subfolders, decoded once to 64 x 64 pixels and kept in memory.
# The environment names it: IMAGES=path/to/images CLUSTERS=12. Without labels only cluster sizes are reported.
root = '{{$IMAGES:data/images}}'
num_clusters = {{$CLUSTERS:10}}
source = dict(type='FolderSource', root=root)
train_dataloader = dict(
    batch_size=None,
    num_workers=0,
    collate_fn=dict(type='mmcluster.identity'),
    dataset=dict(type='IndexedDataset', source=source, size=64),
    sampler=dict(type='StreamSampler', streams=dict(batch=dict(size=256))))
val_dataloader = dict(
    batch_size=None,
    num_workers=0,
    collate_fn=dict(type='mmcluster.identity'),
    dataset=dict(type='IndexedDataset', source=source, size=64, test_mode=True),
    sampler=dict(type='SweepSampler', batch_size=512))
test_dataloader = val_dataloader
