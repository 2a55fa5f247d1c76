# Sign language digits: 2,062 photographs of hands in 10 class folders, decoded once at 32 of their 64 pixels, train =
# test. Views are not mirrored: some signs are almost mirror images of others.
# python tools/dataset_converters/unpack_archive.py sign_digits_64.tar --expect 2062
parts = ['data/resized']
facts = dict(
    source=dict(type='ClassFolderSource', root='data/sign_digits_64', splits=None),
    num_clusters=10, size=32, padding=4, cutout=16, flip=0., mean=[172., 165., 157.], std=[37., 41., 47.])
