# CIFAR-10 as JPEG files in class folders, train + test: not the original pixels.
parts = ['data/cifar10']
facts = dict(source=dict(_delete_=True, type='ClassFolderSource', root='data/cifar10_jpeg', splits=('train', 'test')))
# All have this size; a model that is published is asked without its data.
train_dataloader = dict(dataset=dict(size=32))
val_dataloader = dict(dataset=dict(size=32))
