# STL-10 for learning features: train on all 113,000 images, evaluate on the 13,000 labelled ones, which come first.
parts = ['data/stl10']
facts = dict(
    source=dict(split='train+test+unlabeled'),
    test_source=dict(type='STL10Source', root='data/stl10', split='train+test'))
