# ClusMatch's views on ImageNet's subsets: images are enlarged to `enlarged` pixels; the weak view is a mirrored crop of
# `size`, the strong one a mirrored random resized crop with FixMatch's RandAugment and cutout on top, and the middle is
# evaluated.
parts = ['views/weak_strong']
facts = dict(
    large=dict(type='BatchResize', size='{enlarged}'),
    weak=['{large}', dict(type='BatchRandomCrop', size='{size}', flip_prob='{flip}')],
    strong=[
        '{large}', dict(type='BatchRandomResizedCrop', size='{size}', flip_prob='{flip}'),
        dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout')])
model = dict(data_preprocessor=dict(test=['{large}', dict(type='BatchCenterCrop', size='{size}')]))
