# TCL's three views in workers: weak (cropped, its colours jittered, sometimes blurred), strong (SCAN's), and the middle of
# the whole image, as in evaluation.
facts = dict(
    test_view=[
        dict(type='torchvision/Resize', size=(256, 256)), dict(type='torchvision/CenterCrop', size='{size}')],
    weak=[
        dict(type='torchvision/RandomResizedCrop', size='{size}', scale=(0.2, 1.), interpolation='bicubic'),
        dict(type='torchvision/RandomHorizontalFlip'),
        dict(type='RandomApply', prob=0.8, transforms=[
            dict(type='torchvision/ColorJitter', brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1)]),
        dict(type='torchvision/RandomGrayscale', p=0.2),
        dict(type='PILGaussianBlur', radius=(0.1, 2.), prob=0.5)],
    strong=[
        dict(type='torchvision/Resize', size=('{size}', '{size}')),
        dict(type='torchvision/RandomHorizontalFlip'),
        dict(type='SCANAugment', num_ops=4),
        dict(type='SquareCutout', max_side='{cutout}', color='{mean}')])
train_dataloader = dict(dataset=dict(pipelines=dict(batch=['{weak}', '{strong}', '{test_view}'])))
