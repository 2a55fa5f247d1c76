# A cropped, mirrored view; FixMatch's RandAugment and cutout on top of it. In workers.
facts = dict(
    crop=dict(type='torchvision/RandomResizedCrop', size='{size}', scale=(0.5, 1.)),
    mirror=dict(type='torchvision/RandomHorizontalFlip'),
    weak=['{crop}', '{mirror}'],
    strong=['{crop}', '{mirror}', dict(type='FixMatchRandAugment', num_ops=3), dict(type='FixMatchCutout')])
train_dataloader = dict(dataset=dict(pipelines=dict(labelled=['{weak}'], unlabelled=['{weak}', '{strong}'])))
