# CC with torchvision's ResNet-34 at 224 pixels, whatever the size of the images: a crop is enlarged in the step that
# cuts it. Pixels are scaled to [0, 1] and not standardised. Colours are jittered at half strength, as for CIFAR.
view = [
    dict(type='BatchRandomResizedCrop', size=224, scale=(0.08, 1.), flip_prob=0.5),
    dict(type='BatchColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='BatchGrayscale', prob=0.2),
]
model = dict(
    type='CC',
    data_preprocessor=dict(
        type='ViewPreprocessor',
        mean=[0., 0., 0.],
        std=[255., 255., 255.],
        views=[view, view],
        test=[dict(type='BatchResize', size=224)]),
    backbone=dict(type='ResNet', depth=34, zero_init_residual=False),
    projector=dict(type='MLPProjector', in_channels=512, hid_channels=512, out_channels=128, norm=False),
    head=dict(type='MLPClusterHead', in_channels=512, num_clusters=10))
