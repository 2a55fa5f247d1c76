# Features of a frozen network on images of your own, with stored views, in the file `features`:
# mmcluster features FOLDER --draws 4 --out data/features.npy
# State `columns`, the width of the features, `num_clusters`, and `labels`, a .npy file, where metrics shall see them.
parts = ['data/memory']
facts = dict(
    features='data/features.npy', labels=None, columns=1280, num_clusters=10, mean=[0.], std=[1.],
    source=dict(type='ArraySource', array='{features}', labels='{labels}', name='features'))
