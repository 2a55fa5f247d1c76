# SimCLR's augmentation without blur, twice.
facts = dict(
    least_area=0.08,
    crop=dict(type='BatchRandomResizedCrop', size='{size}', scale=('{least_area}', 1.), flip_prob='{flip}'),
    jitter=dict(type='BatchColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    grey=dict(type='BatchGrayscale', prob=0.2),
    view=['{crop}', '{jitter}', '{grey}'])
model = dict(data_preprocessor=dict(views=['{view}', '{view}']))
