# CIFAR-10 in its usual binary or pickle layout, train + test.
parts = ['data/memory']
facts = dict(
    source=dict(type='CIFAR10Source', root='data/cifar10', split='train+test'),
    num_clusters=10, size=32, padding=4, cutout=16, mean=[125.307, 122.961, 113.8575], std=[51.5865, 50.847, 51.255])
