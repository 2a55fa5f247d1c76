# RSOD: 976 aerial photographs in 4 classes, mixed sizes. Its four archives may lie as they come, with annotations.
parts = ['data/photographs']
facts = dict(root='data/RSOD', num_clusters=4)
