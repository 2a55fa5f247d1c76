# A short demonstration on 2,000 JPEG images of CIFAR-10 that a CPU finishes in minutes; its clusters mean little.
# python tools/dataset_converters/unpack_archive.py cifar10_jpeg.tar.xz --out data/cifar10_jpeg_2000 --subset 2000
# python tools/train.py configs/propos_clusmatch_r18_cifar10_jpeg_short.py --amp
data = 'data/cifar10_jpeg'
facts = dict(source=dict(root='data/cifar10_jpeg_2000'), epochs=4, val_interval=4)
default_hooks = dict(logger=dict(interval=5), checkpoint=dict(interval=1))
stages = dict(
    propos=dict(parts=['propos/r18'], facts=dict(batch=64, lr=0.0125, rate_warmup=1, warmup=0)),
    clusmatch=dict(
        on='propos', parts=['boosters/clusmatch_release'],
        facts=dict(length=15, labelled=16, unlabelled=112, lr=0.001)))
