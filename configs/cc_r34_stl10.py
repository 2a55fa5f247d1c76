# CC on STL-10 at 224 pixels, ResNet-34. An epoch first contrasts the 100,000 unlabelled images, then images and
# clusters of the 13,000 labelled ones. Colours are jittered at full strength, nothing is blurred.
# Quoted in ClusMatch's Table 1: NMI 0.764, ACC 0.850, ARI 0.726.
# tools/dist_train.sh configs/cc_r34_stl10.py 4
_base_ = [
    '_base_/runtime.py', '_base_/datasets/stl10_pretext.py', '_base_/models/cc_r34.py', '_base_/cc_schedule.py'
]

view = [
    dict(type='BatchRandomResizedCrop', size=224, scale=(0.08, 1.), flip_prob=0.5),
    dict(type='BatchColorJitter', brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2, prob=0.8),
    dict(type='BatchGrayscale', prob=0.2),
]
model = dict(data_preprocessor=dict(views=[view, view]))
train_dataloader = dict(sampler=dict(
    in_turn=True,
    streams=dict(
        _delete_=True,
        instance_only=dict(size=256, split='unlabeled'),
        batch=dict(size=256, split='train+test'))))
find_unused_parameters = True  # the cluster head rests in steps of unlabelled images
