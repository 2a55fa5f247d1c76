# SeCu's two views in workers: the first always blurred, the second rarely, and solarized.
parts = ['views/simclr_workers']
facts = dict(
    jitter=dict(saturation=0.2),
    crop=dict(type='torchvision/RandomResizedCrop', size='{size}', scale=(0.08, 1.)),
    mirror=dict(type='torchvision/RandomHorizontalFlip'),
    colour=dict(type='RandomApply', prob=0.8, transforms=['{jitter}']),
    grey=dict(type='torchvision/RandomGrayscale', p=0.2),
    blur=dict(type='torchvision/GaussianBlur', kernel_size=23, sigma=(0.1, 2.)),
    view=['{crop}', '{mirror}', '{colour}', '{grey}', '{blur}'],
    other_view=[
        '{crop}', '{mirror}', '{colour}', '{grey}',
        dict(type='RandomApply', prob=0.1, transforms=['{blur}']),
        dict(type='torchvision/RandomSolarize', threshold=128, p=0.2)])
train_dataloader = dict(dataset=dict(pipelines=dict(batch=['{view}', '{other_view}'])))
