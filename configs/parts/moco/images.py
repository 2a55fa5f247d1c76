# MoCo v2 as SPICE trains it on any backbone: ImageNet's statistics on every data set.
parts = ['moco/method', 'data/imagenet_statistics', 'views/moco', 'schedules/moco']
