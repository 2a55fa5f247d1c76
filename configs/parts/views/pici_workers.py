# Two strong views, the second of which may be solarised: those of PICI's release.
facts = dict(
    crop=dict(type='torchvision/RandomResizedCrop', size='{size}', scale=(0.08, 1.)),
    jitter=dict(type='RandomApply', prob=0.8, transforms=[
        dict(type='torchvision/ColorJitter', brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1)]),
    gray=dict(type='torchvision/RandomGrayscale', p=0.2),
    blur=dict(type='PILGaussianBlur', radius=(0.1, 2.)),
    solarise=dict(type='torchvision/RandomSolarize', threshold=128, p=0.2),
    mirror=dict(type='torchvision/RandomHorizontalFlip', p=0.5),
    strong=['{crop}', '{jitter}', '{gray}', '{blur}', '{mirror}'],
    other=['{crop}', '{jitter}', '{gray}', '{blur}', '{solarise}', '{mirror}'])
train_dataloader = dict(dataset=dict(pipelines=dict(batch=['{strong}', '{other}'])))
