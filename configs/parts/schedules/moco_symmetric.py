# MoCo as ProPos compares with it: a linear warm-up and a cosine that ends at a hundredth. lr is for `batch` images, and
# for a loss that is the sum of both directions.
parts = ['schedules/propos']
facts = dict(batch=512, lr=0.1)
optim_wrapper = dict(optimizer=dict(weight_decay=1e-4), paramwise_cfg=dict(_delete_=True))
param_scheduler = dict(eta_min_ratio=0.01)
