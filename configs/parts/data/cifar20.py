# CIFAR-100 with its 20 superclasses, train + test.
parts = ['data/memory']
facts = dict(
    source=dict(type='CIFAR100Source', root='data/cifar100', split='train+test', coarse=True),
    num_clusters=20, size=32, padding=4, cutout=16, mean=[129.3105, 124.1085, 112.404], std=[68.2125, 65.4075, 70.4055])
