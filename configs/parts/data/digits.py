# scikit-learn's handwritten digits: 1,797 grey images of 8 x 8 pixels, train = test.
parts = ['data/memory']
facts = dict(source=dict(type='DigitsSource'), num_clusters=10, size=8, mean=[77.8], std=[95.9])
