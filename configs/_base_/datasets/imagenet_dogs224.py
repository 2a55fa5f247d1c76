# ImageNet-Dogs: 15 class folders of photographs, decoded and augmented in workers at 224 pixels (worker door).
view = [
    dict(type='torchvision/RandomResizedCrop', size=224, scale=(0.08, 1.)),
    dict(type='torchvision/RandomHorizontalFlip'),
    dict(type='RandomApply', prob=0.8, transforms=[
        dict(type='torchvision/ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1)]),
    dict(type='torchvision/RandomGrayscale', p=0.2),
    dict(type='RandomApply', prob=0.5, transforms=[
        dict(type='torchvision/GaussianBlur', kernel_size=23, sigma=(0.1, 2.))]),
]
test_view = [dict(type='torchvision/Resize', size=256), dict(type='torchvision/CenterCrop', size=224)]
source = dict(type='ClassFolderSource', root='data/imagenet_dogs', splits=None)
train_dataloader = dict(
    batch_size=None,
    num_workers=8,
    persistent_workers=True,
    collate_fn=dict(type='mmcluster.identity'),
    dataset=dict(type='IndexedDataset', source=source, pipelines=dict(batch=[view, view], test=[test_view])),
    sampler=dict(type='StreamSampler', streams=dict(batch=dict(size=256))))
val_dataloader = dict(
    batch_size=None,
    num_workers=8,
    persistent_workers=True,
    collate_fn=dict(type='mmcluster.identity'),
    dataset=dict(type='IndexedDataset', source=source, pipelines=dict(test=[test_view]), test_mode=True),
    sampler=dict(type='SweepSampler', batch_size=256))
test_dataloader = val_dataloader
