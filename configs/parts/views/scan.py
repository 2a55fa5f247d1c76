# SCAN's strong view, `strong`: mirrored, RandAugment of its own, a square cut out in the mean colour. The release's
# crop of 32 from 32 pixels is left out, since it moves nothing.
facts = dict(strong=[
    dict(type='BatchFlip'),
    dict(type='BatchSCANAugment', num_ops=4),
    dict(type='BatchSquareCutout', max_side='{cutout}', color='{mean}')])
