# ASD's labels for RUC: the rows with labels are the clean ones.
parts = ['asd/labels']
model = dict(data_preprocessor=dict(
    views=dict(labelled=[[], '{weak}', '{weak}', '{strong}'], unlabelled=['{weak}', '{weak}'])))
train_dataloader = dict(sampler=dict(length='{length}'))
auto_scale_lr = dict(base_batch_size='{unlabelled}')  # rows of the first stream
