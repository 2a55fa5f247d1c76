# ProPos on ImageNet-Dogs at 224 pixels, torchvision's ResNet-34, images through workers.
# Table 10, ResNet-34, 224 px: ACC 77.5, NMI 73.7, ARI 67.5 (%).
# tools/dist_train.sh configs/propos_r34_imagenet_dogs224.py 4
data = 'data/imagenet_dogs224'
stages = dict(propos=dict(parts=['propos/r34_workers', 'propos/rising_decay']))
