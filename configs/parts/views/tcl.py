# TCL's three views: weak (cropped, its colours jittered, blurred), strong (SCAN's), and the whole image as in evaluation.
facts = dict(
    blur_prob=1.,
    crop=dict(
        type='BatchRandomResizedCrop', size='{size}', scale=(0.2, 1.), flip_prob='{flip}', interpolation='bicubic'),
    weak=[
        '{crop}',
        dict(type='BatchColorJitter', brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1, prob=0.8),
        dict(type='BatchGrayscale', prob=0.2),
        dict(type='BatchGaussianBlur', sigma=(0.1, 2.), prob='{blur_prob}')],
    strong=[
        dict(type='BatchResize', size='{size}'),
        dict(type='BatchFlip', prob='{flip}'),
        dict(type='BatchSCANAugment', num_ops=4),
        dict(type='BatchSquareCutout', max_side='{cutout}', color='{mean}')],
    still=[dict(type='BatchResize', size='{size}')])
model = dict(data_preprocessor=dict(views=['{weak}', '{strong}', '{still}'], test='{still}'))
