# SeCu with torchvision's ResNet-50 on photographs: a longer projector, a predictor whose outputs are clustered too, LARS,
# smaller least sizes with larger steps of their duals.
parts = ['nets/r50', 'secu/method', 'views/secu_workers']
facts = dict(epochs=1001, batch=1024, lr=1.6, center_rate=2.625)
model = dict(
    size_ratio=0.4,
    dual_rate=20.,
    neck=dict(hidden_layers=2, last_bn=True),
    predictor=dict(type='MLPProjector', in_channels='{embed}', hid_channels='{width}', out_channels='{embed}'))
optim_wrapper = dict(optimizer=dict(type='LARS', weight_decay=1e-6, eta=0.001))
sync_bn = 'torch'
