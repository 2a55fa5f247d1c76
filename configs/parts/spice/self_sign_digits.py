# SPICE's heads on photographs of hands: two E-steps an epoch under a cosine, as on digits; SCAN's view learns.
parts = ['views/turned_crops', 'spice/self_digits']
facts = dict(
    rows=2060, strong='{view}',
    weak=[dict(type='BatchRandomCrop', size='{size}', padding='{padding}', flip_prob='{flip}')])
