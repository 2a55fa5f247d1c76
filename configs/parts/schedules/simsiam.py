# SimSiam as ProPos' comparison trains it: a linear warm-up and a cosine that ends at a hundredth; the predictor keeps its
# rate from the first step to the last. lr is for `batch` images.
parts = ['schedules/propos']
facts = dict(lr=0.06)
optim_wrapper = dict(paramwise_cfg=dict(_delete_=True, constant_lr=['predictor']))
param_scheduler = dict(eta_min_ratio=0.01)
