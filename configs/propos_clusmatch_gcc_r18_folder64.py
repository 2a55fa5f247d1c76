# From a folder of images to clusters: ProPos, then ClusMatch, at 64 pixels.
# IMAGES=path/to/images CLUSTERS=12 python tools/train.py configs/propos_clusmatch_gcc_r18_folder64.py
stages = dict(
    propos=dict(config='propos_gcc_r18_folder64.py'),
    clusmatch=dict(config='clusmatch_gcc_r18_folder64.py'))
