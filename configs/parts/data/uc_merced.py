# UC-Merced: 2,100 aerial photographs in 21 classes, TIFF, 256 x 256 pixels but for 44 of them.
parts = ['data/photographs']
facts = dict(root='data/UC-Merced-Land-Use', num_clusters=21)
