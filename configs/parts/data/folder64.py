# Any folder of images, with or without class subfolders, decoded once to 64 x 64 pixels and kept in memory.
# The environment names it: IMAGES=path/to/images CLUSTERS=12. Without labels only cluster sizes are reported.
parts = ['data/resized']
facts = dict(
    source=dict(type='FolderSource', root='{{$IMAGES:data/images}}'),
    num_clusters={{$CLUSTERS:10}}, size=64, padding=8, cutout=32,
    mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
