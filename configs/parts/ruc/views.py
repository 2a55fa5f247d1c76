# RUC's views: a crop, and RandAugment and a square in the mean colour on top of it.
facts = dict(
    crop=dict(type='BatchRandomResizedCrop', size='{size}', scale=(0.2, 1.), flip_prob=0.5),
    weak=['{crop}'],
    strong=['{crop}', dict(type='BatchFixMatchRandAugment', num_ops=2),
            dict(type='BatchSquareCutout', max_side=16, color='{mean}')])
