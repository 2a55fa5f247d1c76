# SPICE's joint training on any backbone for images, at FixMatch's length.
parts = ['schedules/fixmatch_long', 'spice/labels', 'views/weak_strong_spice']
auto_scale_lr = dict(base_batch_size='{labelled}')  # rows of the first stream
