# ProPos, then ClusMatch, on your own folder of images at 64 pixels. No figure of the papers corresponds.
# IMAGES=path/to/images CLUSTERS=12 python tools/train.py configs/propos_clusmatch_r18stl_folder64.py
data = 'data/folder64'
stages = dict(
    propos=dict(parts=['propos/r18_stl'], facts=dict(epochs=300, rate_warmup=15, warmup=15)),
    clusmatch=dict(on='propos', parts=['boosters/clusmatch_release'], facts=dict(length=256)))
