# Views of `views/weak_strong` of images that are enlarged to the size of the network before they are augmented.
parts = ['views/weak_strong', 'views/test_enlarged']
facts = dict(
    large=dict(type='BatchResize', size='{size}'),
    weak=['{large}', '{crop}'],
    strong=['{large}', '{crop}', dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout')])
