# D0: 4,508 photographs of field pests in 40 classes, 200 x 200 pixels.
parts = ['data/photographs']
facts = dict(root='data/D0-40', num_clusters=40)
