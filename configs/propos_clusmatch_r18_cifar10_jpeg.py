# ProPos, then ClusMatch on the JPEG copy of CIFAR-10 in class folders (not the original pixels).
# python tools/dataset_converters/unpack_archive.py cifar10_jpeg.tar.xz --out data/cifar10_jpeg
# tools/dist_train.sh configs/propos_clusmatch_r18_cifar10_jpeg.py 4
source = dict(_delete_=True, type='ClassFolderSource', root='data/cifar10_jpeg', splits=('train', 'test'))
data = dict(train_dataloader=dict(dataset=dict(source=source)), val_dataloader=dict(dataset=dict(source=source)),
            test_dataloader=dict(dataset=dict(source=source)))
stages = dict(
    propos=dict(config='propos_r18_cifar10.py', options=data),
    clusmatch=dict(config='clusmatch_r18_cifar10.py', options=data))
