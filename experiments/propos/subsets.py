"""ProPos, Table 8: 50, 100 and 200 classes of ImageNet, ResNet-50, 300 epochs.

The paper gives the validation images to the centres of the training images, which the checkpoints keep. The figures
here are of the training images; for those of the paper take tools/test.py with the sources of the validation images.

python tools/experiment.py run experiments/propos/subsets.py
"""
title = 'ProPos, Table 8: subsets of ImageNet, ResNet-50'
metrics = ['nmi', 'ari']
percent = True
seeds = [0]
parts = ['nets/r50', 'propos/method', 'views/simclr_workers', 'schedules/propos']
values = {50: (82.8, 69.1), 100: (83.5, 63.5), 200: (80.6, 53.8)}
columns = {f'ImageNet-{k}': dict(data='data/imagenet_workers', facts=dict(
    num_clusters=k, epochs=300,
    source=dict(type='ClassFolderSource', root='data/imagenet/train', splits=None, classes=f'imagenet{k}')))
    for k in values}
rows = {'ProPos': dict(
    stages=dict(propos=dict(parts=parts, options=dict(hooks=dict(kmeans=dict(batch_size=256, num_workers=8))))),
    paper={f'ImageNet-{k}': dict(zip(('nmi', 'ari'), each)) for k, each in values.items()})}
