# A weak affine map, twice; digits are never mirrored.
facts = dict(view=[dict(type='BatchAffine', degrees=10, translate=(0.1, 0.1), scale=(0.9, 1.1), shear=(5.7, 5.7))])
model = dict(data_preprocessor=dict(views=['{view}', '{view}']))
