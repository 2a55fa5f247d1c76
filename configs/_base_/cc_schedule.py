# CC: Adam at one rate, 1000 epochs, batch norm over the whole batch; the predictions are those of the cluster head.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1000, val_interval=50)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=3e-4))
sync_bn = 'torch'
val_evaluator = dict(type='ClusteringMetric', source='head')
test_evaluator = val_evaluator
