# SimCLR's augmentation with blur, twice, in workers.
facts = dict(
    jitter=dict(type='torchvision/ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1),
    view=[
        dict(type='torchvision/RandomResizedCrop', size='{size}', scale=(0.08, 1.)),
        dict(type='torchvision/RandomHorizontalFlip'),
        dict(type='RandomApply', prob=0.8, transforms=['{jitter}']),
        dict(type='torchvision/RandomGrayscale', p=0.2),
        dict(type='RandomApply', prob=0.5, transforms=[
            dict(type='torchvision/GaussianBlur', kernel_size=23, sigma=(0.1, 2.))])])
train_dataloader = dict(dataset=dict(pipelines=dict(batch=['{view}', '{view}'])))
