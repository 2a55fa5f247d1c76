# STL-10, split protocol: train on the 5,000 training images, evaluate on the 8,000 test images.
parts = ['data/stl10']
facts = dict(
    source=dict(split='train'),
    test_source=dict(type='STL10Source', root='data/stl10', split='test'))
