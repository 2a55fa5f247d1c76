# AID: 10,000 aerial photographs in 30 classes of 220 to 420, 600 x 600 pixels.
parts = ['data/photographs']
facts = dict(root='data/AID', num_clusters=30)
