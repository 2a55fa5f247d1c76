# Adam under a cosine to 0 with a linear warm-up, for schedules of a few epochs.
parts = ['schedules/adam']
facts = dict(rate_warmup=1)
param_scheduler = dict(
    type='WarmupCosineLR', total_epochs='{epochs}', warmup_epochs='{rate_warmup}', convert_to_iter_based=True)
