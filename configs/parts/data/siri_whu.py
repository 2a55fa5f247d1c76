# SIRI-WHU: 2,400 satellite photographs in 12 classes, TIFF, 200 x 200 pixels.
parts = ['data/photographs']
facts = dict(root='data/SIRI-WHU', num_clusters=12)
