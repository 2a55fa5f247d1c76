# TCL's three views of digits: a weak and a strong affine map, and the image as it is; digits are never mirrored.
facts = dict(
    weak=[dict(type='BatchAffine', degrees=10, translate=(0.1, 0.1), scale=(0.9, 1.1), shear=(5.7, 5.7))],
    strong=[dict(type='BatchAffine', degrees=20, translate=(0.15, 0.15), scale=(0.8, 1.2), shear=(12, 12))])
model = dict(data_preprocessor=dict(views=['{weak}', '{strong}', []]))
