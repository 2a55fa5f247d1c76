# STL-10 in its binary layout, the 13,000 labelled images of both splits, 96 pixels.
parts = ['data/memory']
facts = dict(
    source=dict(type='STL10Source', root='data/stl10', split='train+test'),
    num_clusters=10, size=96, padding=12, cutout=32, mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
