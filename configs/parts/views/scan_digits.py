# The strong view of SCAN for digits, `strong`.
facts = dict(strong=[
    dict(type='BatchAffine', degrees=15, translate=(0.1, 0.1), scale=(0.8, 1.2), shear=(10, 10))])
