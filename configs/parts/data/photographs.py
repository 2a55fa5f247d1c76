# Class folders of images of any size, decoded and augmented in workers at 224 pixels, evaluated whole.
# The environment names them: IMAGES=path/to/class/folders CLUSTERS=12.
parts = ['data/workers']
facts = dict(
    root='{{$IMAGES:data/images}}',
    source=dict(type='ClassFolderSource', root='{root}', splits=None),
    num_clusters={{$CLUSTERS:10}}, size=224, mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
    sweep=96, test_view=[dict(type='torchvision/Resize', size=('{size}', '{size}'))])
val_dataloader = dict(sampler=dict(batch_size='{sweep}'))
