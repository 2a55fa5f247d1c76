# SPICE on the JPEG copy of CIFAR-10 in class folders (not the original pixels), split protocol.
# python tools/dataset_converters/unpack_archive.py cifar10_jpeg.tar.xz --out data/cifar10_jpeg
# tools/dist_train.sh configs/spice_r18_cifar10_jpeg.py 4
data = 'data/cifar10_jpeg_split'
stages = dict(
    moco=dict(parts=['moco/r18']),
    spice_self=dict(on='moco', parts=['spice/self']),
    spice_joint=dict(parts=['nets/r18_cifar', 'spice/joint', 'data/fixmatch_statistics']))
