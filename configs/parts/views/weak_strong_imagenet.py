# A piece of the shrunk photograph, mirrored; any crop of it with FixMatch's RandAugment and cutout. In workers.
parts = ['views/weak_strong_workers']
facts = dict(
    shrink=dict(type='torchvision/Resize', size=(256, 256)),
    weak=['{shrink}', dict(type='torchvision/RandomCrop', size='{size}'), '{mirror}'],
    strong=[
        '{shrink}', dict(type='torchvision/RandomResizedCrop', size='{size}', scale=(0.08, 1.)), '{mirror}',
        dict(type='FixMatchRandAugment', num_ops=3), dict(type='FixMatchCutout')])
