# Rotated, shifted, scaled and slanted digits in other tones with a black square, twice. No crops: a part of a digit is
# often another digit.
facts = dict(
    affine=dict(type='BatchAffine', degrees=20, translate=(0.1, 0.1), scale=(0.7, 1.2), shear=(20, 20)),
    tone=dict(type='BatchColorJitter', brightness=0.4, contrast=0.4, saturation=0., hue=0., prob=0.8),
    view=['{affine}', '{tone}', dict(type='BatchCutout', max_side=0.4, color=(0.,))])
model = dict(data_preprocessor=dict(views=['{view}', '{view}']))
