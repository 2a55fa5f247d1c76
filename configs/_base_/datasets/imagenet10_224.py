# ImageNet-10 decoded and augmented in workers at 224 pixels: the views of CC's release, colours jittered at full
# strength, blurred. The folder may hold other classes of ImageNet as well.
_base_ = ['class_folders224.py']

worker_view = [
    dict(type='torchvision/RandomResizedCrop', size=224, scale=(0.08, 1.)),
    dict(type='torchvision/RandomHorizontalFlip', p=0.5),
    dict(type='RandomApply', prob=0.8, transforms=[
        dict(type='torchvision/ColorJitter', brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2)]),
    dict(type='torchvision/RandomGrayscale', p=0.2),
    dict(type='RandomApply', prob=0.5, transforms=[
        dict(type='torchvision/GaussianBlur', kernel_size=23, sigma=(0.1, 2.))]),
]
source = dict(root='data/imagenet/train', classes='imagenet10')
train_dataloader = dict(
    dataset=dict(source=source, pipelines=dict(batch=[worker_view, worker_view])), sampler=dict(streams=dict(batch=dict(size=256))))
val_dataloader = dict(dataset=dict(source=source))
test_dataloader = val_dataloader
