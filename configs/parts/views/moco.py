# MoCo v2's augmentation: SimCLR's with larger crops and with blur, twice. SPICE blurs at 32 pixels, too.
parts = ['views/simclr']
facts = dict(
    least_area=0.2,
    blur=dict(type='BatchGaussianBlur', sigma=(0.1, 2.), prob=0.5),
    view=['{crop}', '{jitter}', '{grey}', '{blur}'])
