# Views of `views/weak_strong` at the images' own size, then enlarged to 224 pixels.
parts = ['views/weak_strong']
facts = dict(
    enlarge=dict(type='BatchResize', size=224, interpolation='bicubic'),
    weak=['{crop}', '{enlarge}'],
    strong=['{crop}', dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout'), '{enlarge}'])
model = dict(data_preprocessor=dict(test=['{enlarge}']))
