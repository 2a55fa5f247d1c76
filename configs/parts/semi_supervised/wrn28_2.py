# WRN-28-2 from random weights, at FixMatch's length.
parts = [
    'nets/wrn28_2', 'semi_supervised/method', 'views/weak_strong', 'schedules/fixmatch_long']
auto_scale_lr = dict(base_batch_size='{labelled}')  # rows of the first stream
