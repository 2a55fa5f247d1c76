# SPICE's heads on digits: two E-steps an epoch under a cosine.
parts = ['spice/heads']
facts = dict(
    epochs=40, val_interval=20, rows=1790,
    weak=[dict(type='BatchAffine', degrees=5, translate=(0.05, 0.05))],
    strong=[dict(type='BatchAffine', degrees=20, translate=(0.15, 0.15), scale=(0.8, 1.2), shear=(12, 12))])
model = dict(center_ratio=1.)
train_dataloader = dict(sampler=dict(length=2))
param_scheduler = dict(
    type='CosineAnnealingLR', T_max='{epochs}', eta_min=0., by_epoch=True, convert_to_iter_based=True)
