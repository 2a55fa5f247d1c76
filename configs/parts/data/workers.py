# Photographs decoded and augmented in workers; a data set states `source`, a part of views `pipelines` of training.
facts = dict(test_view=[
    dict(type='torchvision/Resize', size=256), dict(type='torchvision/CenterCrop', size='{size}')])
train_dataloader = dict(
    batch_size=None,
    num_workers=8,
    persistent_workers=True,
    collate_fn=dict(type='mmcluster.identity'),
    dataset=dict(type='IndexedDataset', source='{source}', pipelines=dict(test=['{test_view}'])),
    sampler=dict(type='StreamSampler'))
val_dataloader = dict(
    batch_size=None,
    num_workers=8,
    persistent_workers=True,
    collate_fn=dict(type='mmcluster.identity'),
    dataset=dict(type='IndexedDataset', source='{source}', pipelines=dict(test=['{test_view}']), test_mode=True),
    sampler=dict(type='SweepSampler', batch_size=256))
