# MNIST as PNG files in class folders: 70,000 grey handwritten digits of 28 pixels, train + test together, as papers on
# clustering take it. Digits are never mirrored.
# python tools/dataset_converters/unpack_archive.py mnist_png.tar.xz --out data/mnist --expect 70000
parts = ['data/resized']
facts = dict(
    source=dict(type='ClassFolderSource', root='data/mnist', splits=('train', 'test'), mode='L'),
    num_clusters=10, size=28, padding=3, cutout=14, flip=0., mean=[33.4], std=[78.7])
