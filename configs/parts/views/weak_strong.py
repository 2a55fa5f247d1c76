# A shifted, mirrored view; FixMatch's RandAugment and cutout on top of it.
facts = dict(
    crop=dict(type='BatchRandomCrop', size='{size}', padding='{padding}', flip_prob='{flip}'),
    weak=['{crop}'],
    strong=['{crop}', dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout')])
model = dict(data_preprocessor=dict(views=dict(labelled=['{weak}'], unlabelled=['{weak}', '{strong}'])))
