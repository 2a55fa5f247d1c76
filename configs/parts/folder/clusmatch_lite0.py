# ClusMatch on the embedded default encoder, EfficientNet-Lite0, at 96 pixels, sized for a CPU.
parts = ['folder/clusmatch']
weak = [dict(type='BatchRandomCrop', size=96, padding=12, flip_prob=0.5)]
strong = weak + [dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout')]
facts = dict(size=96, embed=1280, mean=[127., 127., 127.], std=[128., 128., 128.],
             backbone=dict(type='EfficientNetLite', init_cfg=dict(type='Pretrained', checkpoint='{weights}')))
model = dict(data_preprocessor=dict(views=dict(labelled=[weak], unlabelled=[weak, strong])))
del weak, strong
