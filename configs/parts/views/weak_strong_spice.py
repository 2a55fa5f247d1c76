# FixMatch's views as SPICE's release has them: the crop comes last, pads black, and moves 4 pixels at every size.
facts = dict(
    crop=dict(type='BatchRandomCrop', size='{size}', padding=4, flip_prob='{flip}', padding_mode='constant'),
    weak=['{crop}'],
    strong=[dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout'), '{crop}'])
model = dict(data_preprocessor=dict(views=dict(labelled=['{weak}'], unlabelled=['{weak}', '{strong}'])))
