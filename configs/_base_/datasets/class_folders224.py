# Class folders of images of any size, decoded and augmented in workers at 224 pixels: the views of PICI's release, both
# strong. `paper_views` is the pair of the paper's text, weak and strong. IMAGES=path/to/class/folders names the images.
crop = dict(type='torchvision/RandomResizedCrop', size=224, scale=(0.08, 1.))
jitter = dict(type='RandomApply', prob=0.8, transforms=[
    dict(type='torchvision/ColorJitter', brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1)])
gray = dict(type='torchvision/RandomGrayscale', p=0.2)
blur = dict(type='PILGaussianBlur', radius=(0.1, 2.))
solarize = dict(type='torchvision/RandomSolarize', threshold=128, p=0.2)
flip = dict(type='torchvision/RandomHorizontalFlip', p=0.5)
strong = [crop, jitter, gray, blur, flip]
test_view = [dict(type='torchvision/Resize', size=(224, 224))]
released_views = [strong, [crop, jitter, gray, blur, solarize, flip]]
paper_views = [test_view, strong]

source = dict(type='ClassFolderSource', root='{{$IMAGES:data/images}}', splits=None)
train_dataloader = dict(
    batch_size=None,
    num_workers=8,
    persistent_workers=True,
    collate_fn=dict(type='mmcluster.identity'),
    dataset=dict(type='IndexedDataset', source=source, pipelines=dict(batch=released_views, test=[test_view])),
    sampler=dict(type='StreamSampler', streams=dict(batch=dict(size=96))))
val_dataloader = dict(
    batch_size=None,
    num_workers=8,
    persistent_workers=True,
    collate_fn=dict(type='mmcluster.identity'),
    dataset=dict(type='IndexedDataset', source=source, pipelines=dict(test=[test_view]), test_mode=True),
    sampler=dict(type='SweepSampler', batch_size=96))
test_dataloader = val_dataloader
