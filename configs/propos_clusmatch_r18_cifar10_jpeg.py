# ProPos, then ClusMatch on the JPEG copy of CIFAR-10 in class folders (not the original pixels).
# python tools/dataset_converters/unpack_archive.py cifar10_jpeg.tar.xz --out data/cifar10_jpeg
# tools/dist_train.sh configs/propos_clusmatch_r18_cifar10_jpeg.py 4
data = 'data/cifar10_jpeg'
stages = dict(
    propos=dict(parts=['propos/r18'], facts=dict(batch=512, lr=0.1)),
    clusmatch=dict(on='propos', parts=['boosters/clusmatch_release'], facts=dict(share=0.01)))
