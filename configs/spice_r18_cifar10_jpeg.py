# SPICE on the JPEG copy of CIFAR-10 in class folders (not the original pixels), split protocol.
# python tools/dataset_converters/unpack_archive.py cifar10_jpeg.tar.xz --out data/cifar10_jpeg
# tools/dist_train.sh configs/spice_r18_cifar10_jpeg.py 4
source = dict(_delete_=True, type='ClassFolderSource', root='data/cifar10_jpeg')
tested = dict(dataset=dict(source=dict(source, splits=('test',))))
data = dict(train_dataloader=dict(dataset=dict(source=dict(source, splits=('train',)))), val_dataloader=tested,
            test_dataloader=tested)
stages = dict(
    moco=dict(config='moco_r18_cifar10.py', options=data),
    spice_self=dict(config='spice_self_r18_cifar10.py', options=data),
    spice_joint=dict(config='spice_joint_r18_cifar10.py', options=data))
