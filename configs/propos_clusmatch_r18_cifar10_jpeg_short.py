# A short demonstration on 2,000 JPEG images of CIFAR-10 that a CPU finishes in minutes; its clusters mean little.
# python tools/dataset_converters/unpack_archive.py cifar10_jpeg.tar.xz --out data/cifar10_jpeg_2000 --subset 2000
# python tools/train.py configs/propos_clusmatch_r18_cifar10_jpeg_short.py --amp
source = dict(_delete_=True, type='ClassFolderSource', root='data/cifar10_jpeg_2000', splits=('train', 'test'))
data = dict(
    train_dataloader=dict(dataset=dict(source=source)),
    val_dataloader=dict(dataset=dict(source=source)),
    test_dataloader=dict(dataset=dict(source=source)),
    default_hooks=dict(logger=dict(interval=5), checkpoint=dict(interval=1)))
stages = dict(
    propos=dict(
        config='propos_r18_cifar10.py',
        options=dict(
            data,
            train_dataloader=dict(data['train_dataloader'], sampler=dict(streams=dict(batch=dict(size=64)))),
            custom_hooks=[
                dict(type='ScheduleHook', param='psl_weight', steps=[(0, 0.1)]),
                dict(type='ScheduleHook', param='sigma', steps=[(0, 0.001)]),
                dict(type='KMeansHook', num_clusters=10),
            ],
            optim_wrapper=dict(optimizer=dict(lr=0.0125)),
            auto_scale_lr=dict(base_batch_size=64),
            param_scheduler=dict(total_epochs=4, warmup_epochs=1),
            train_cfg=dict(max_epochs=4, val_interval=4))),
    clusmatch=dict(
        config='clusmatch_r18_cifar10.py',
        options=dict(
            data,
            train_dataloader=dict(data['train_dataloader'], sampler=dict(
                length=15,
                streams=dict(_delete_=True, labelled=dict(size=16, pool='target'), unlabelled=dict(size=112)))),
            custom_hooks=[
                dict(type='SelectHook', selector=dict(type='CentroidDistance', num_clusters=10, sigma=0.1)),
                dict(type='KMeansHook', num_clusters=10, align_to='target'),
                dict(type='TeacherHook'),
            ],
            optim_wrapper=dict(optimizer=dict(lr=0.001)),
            auto_scale_lr=dict(base_batch_size=16),
            param_scheduler=dict(total_epochs=4),
            train_cfg=dict(max_epochs=4, val_interval=4))))
