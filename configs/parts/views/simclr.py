# SimCLR's augmentation without blur, twice.
facts = dict(view=[
    dict(type='BatchRandomResizedCrop', size='{size}', scale=(0.08, 1.), flip_prob=0.5),
    dict(type='BatchColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='BatchGrayscale', prob=0.2),
])
model = dict(data_preprocessor=dict(views=['{view}', '{view}']))
