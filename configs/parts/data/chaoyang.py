# Chaoyang: 6,160 patches of colon slides in 4 classes, 512 x 512 pixels, in the class folders that
# tools/dataset_converters/class_folders.py makes.
parts = ['data/photographs']
facts = dict(root='data/Chaoyang/image', num_clusters=4)
