# IDFD's one view: cropped, its colours always jittered, sometimes greyed; never mirrored.
facts = dict(view=[
    dict(type='BatchRandomResizedCrop', size='{size}', scale=(0.2, 1.)),
    dict(type='BatchColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0., prob=1.),
    dict(type='BatchGrayscale', prob=0.2)])
model = dict(data_preprocessor=dict(views=['{view}']))
