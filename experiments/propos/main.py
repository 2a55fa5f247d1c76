"""ProPos, Table 2: ResNet-34, 1000 epochs.

python tools/experiment.py run experiments/propos/main.py
"""
title = 'ProPos, Table 2: ResNet-34'
metrics = ['nmi', 'acc', 'ari']
percent = True
cifar = ['nets/r34_cifar', 'nets/release_init']
stem = ['nets/r34', 'nets/release_init']
columns = {
    'CIFAR-10': dict(data='data/cifar10'), 'CIFAR-20': dict(data='data/cifar20'), 'STL-10': dict(data='data/stl10'),
    'ImageNet-10': dict(data='data/imagenet10_96'), 'ImageNet-Dogs': dict(data='data/imagenet_dogs_96')}
network = dict(zip(columns, (cifar, cifar, stem, stem, stem)))


def figures(text):
    """Column -> metrics of a row of the paper."""
    return {name: dict(zip(('nmi', 'acc', 'ari'), map(float, cell.split('/'))))
            for name, cell in zip(columns, text.split()) if cell != '-'}


rows = {
    'BYOL': dict(
        paper=figures('81.7/89.4/79.0 55.9/56.9/39.3 71.3/82.5/65.7 86.6/93.9/87.2 63.5/69.4/54.8'),
        cells={name: dict(stages=dict(byol=dict(parts=[
            *net, 'byol/method', 'views/simclr', 'schedules/propos']))) for name, net in network.items()}),
    'ProPos': dict(
        paper=figures('88.6/94.3/88.4 60.6/61.4/45.1 75.8/86.7/73.7 89.6/95.6/90.6 69.2/74.5/62.7'),
        cells={name: dict(stages=dict(propos=dict(parts=[
            *net, 'propos/method', 'views/simclr', 'schedules/propos']))) for name, net in network.items()}),
    'SimSiam': dict(
        paper=figures('78.6/85.6/73.6 52.2/48.5/32.7 65.9/71.6/57.2 83.1/92.1/83.3 58.3/67.4/50.1'),
        cells={name: dict(stages=dict(simsiam=dict(parts=[
            *net, 'simsiam/method', 'views/simclr', 'schedules/simsiam']))) for name, net in network.items()}),
    'PCL': dict(
        paper=figures('80.2/87.4/76.6 52.8/52.6/36.3 71.8/41.0/67.0 84.1/90.7/82.2 44.0/41.2/29.9'),
        cells={name: dict(stages=dict(pcl=dict(parts=[
            *net, 'pcl/method', 'views/simclr', 'schedules/moco_symmetric']))) for name, net in network.items()}),
    'MoCo v2': dict(quoted='Table 2, from MiCE', cells={'ImageNet-10': None}, paper=figures(
        '66.9/77.6/60.8 39.0/39.7/24.2 61.5/72.8/52.4 - 34.7/33.8/19.7'))}
