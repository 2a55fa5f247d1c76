# A booster on PICI: it sees whole images, its rate suits a transformer, and its sweep decodes in workers.
parts = ['select/by_head', 'views/weak_strong_workers']
facts = dict(epochs=20, val_interval=5, length=256, labelled=32, unlabelled=96, lr=5e-5)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr='{lr}', weight_decay=0.05))
hooks = dict(select=dict(batch_size='{sweep}', num_workers=8))
