# SeCu's two views: both cropped, jittered and greyed; the first always blurred, the second rarely, and solarized.
parts = ['views/simclr']
facts = dict(
    least_area=0.2,
    jitter=dict(saturation=0.2),
    blur=dict(type='BatchGaussianBlur', sigma=(0.1, 2.), prob=1.),
    rare_blur=dict(type='BatchGaussianBlur', sigma=(0.1, 2.), prob=0.1),
    solarize=dict(type='BatchSolarize', threshold=128., prob=0.2),
    view=['{crop}', '{jitter}', '{grey}', '{blur}'],
    other_view=['{crop}', '{jitter}', '{grey}', '{rare_blur}', '{solarize}'])
model = dict(data_preprocessor=dict(views=['{view}', '{other_view}']))
