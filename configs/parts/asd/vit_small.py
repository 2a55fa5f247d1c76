# ASD_PS on a pre-trained ViT-S/16: images are augmented at their own size, then enlarged; no average of the weights.
parts = [
    'nets/vit_small16', 'heads/linear', 'asd/method', 'asd/prototypes', 'views/weak_strong_then_enlarged',
    'data/imagenet_statistics', 'schedules/layerwise_adamw']
facts = dict(unlabelled=32)
auto_scale_lr = dict(base_batch_size='{unlabelled}')  # rows of the first stream
