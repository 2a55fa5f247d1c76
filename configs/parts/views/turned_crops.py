# SimCLR's augmentation for small photographs whose sides mean something: turned a little, larger crops, stronger colours.
parts = ['views/simclr']
facts = dict(
    least_area=0.4,
    jitter=dict(brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2),
    view=[dict(type='BatchAffine', degrees=20), '{crop}', '{jitter}', '{grey}'])
