# A strong affine map, twice; digits are never mirrored.
facts = dict(view=[
    dict(type='BatchAffine', degrees=20, translate=(0.15, 0.15), scale=(0.8, 1.2), shear=(12, 12))])
model = dict(data_preprocessor=dict(views=['{view}', '{view}']))
