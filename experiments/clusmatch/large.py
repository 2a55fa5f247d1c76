"""ClusMatch, Table 1: on ProPos' ResNet-34, and on Tiny-ImageNet its ResNet-18 at 224 pixels.

python tools/experiment.py run experiments/clusmatch/large.py
"""
title = 'ClusMatch, Table 1: on ProPos, ResNet-34'
metrics = ['nmi', 'acc', 'ari']
seeds = [0]
method = ['propos/method', 'views/simclr', 'schedules/propos']
cifar, stem = ['nets/r34_cifar', 'nets/release_init', *method], ['nets/r34_stl', *method]
propos = {
    'CIFAR-10': ('data/cifar10', dict(parts=cifar)),
    'CIFAR-20': ('data/cifar20', dict(parts=[*cifar, 'propos/rising_decay'])),
    'STL-10': ('data/stl10', dict(parts=stem)),
    'ImageNet-10': ('data/imagenet10_96', dict(parts=stem)),
    'ImageNet-Dogs': ('data/imagenet_dogs_96', dict(parts=stem)),
    'Tiny-ImageNet, 224': ('data/tiny_imagenet', dict(
        parts=['nets/r34', *method, 'views/test_enlarged'], facts=dict(size=224),
        options=dict(model=dict(backbone=dict(depth=18)))))}
columns = {name: dict(data=data) for name, (data, _) in propos.items()}
own = {'CIFAR-10': dict(facts=dict(share=0.01)), 'Tiny-ImageNet, 224': dict(
    parts=['boosters/clusmatch_release', 'views/enlarged_weak_strong'], facts=dict(share=0.1, size=224, padding=28))}


def figures(text):
    """Column -> metrics of a row of the paper."""
    return {name: dict(zip(('nmi', 'acc', 'ari'), map(float, cell.split('/'))))
            for name, cell in zip(propos, text.split())}


rows = {
    'ProPos': dict(
        paper=figures('.871/.943/.863 .591/.602/.437 .854/.923/.844 .902/.959/.912 .725/.768/.661 .402/.241/.121'),
        cells={name: dict(stages=dict(propos=stage)) for name, (_, stage) in propos.items()}),
    'ProPos + ClusMatch': dict(
        paper=figures('.909/.960/.915 .627/.612/.457 .886/.940/.873 .933/.974/.944 .785/.844/.737 .454/.388/.213'),
        cells={name: dict(stages=dict(propos=stage, clusmatch={
            **dict(on='propos', parts=['boosters/clusmatch_release'], facts=dict(share=0.1)), **own.get(name, {})}))
            for name, (_, stage) in propos.items()})}
