# A weak affine map; the views of `strong_mnist`.
parts = ['views/strong_mnist']
facts = dict(
    weak=[dict(type='BatchAffine', degrees=10, translate=(0.1, 0.1), scale=(0.9, 1.1), shear=(5.7, 5.7))])
model = dict(data_preprocessor=dict(
    views=dict(_delete_=True, labelled=['{weak}'], unlabelled=['{weak}', '{view}'])))
