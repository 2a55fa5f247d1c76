# ASD with a cluster head of its own, at the paper's length.
parts = ['heads/linear', 'asd/method', 'boosters/averaged', 'views/weak_strong', 'schedules/fixmatch_long']
auto_scale_lr = dict(base_batch_size='{unlabelled}')  # rows of the first stream
