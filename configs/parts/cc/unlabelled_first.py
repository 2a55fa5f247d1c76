# On STL-10 an epoch first contrasts the 100,000 unlabelled images, then images and clusters of the 13,000 labelled ones.
# Colours are jittered at full strength, nothing is blurred.
facts = dict(jitter=dict(brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2))
train_dataloader = dict(sampler=dict(sequential=True, streams=dict(
    _delete_=True,      # the order of the streams is that of the epoch
    instance_only=dict(size='{batch}', split='unlabeled'),
    batch=dict(size='{batch}', split='train+test'))))
find_unused_parameters = True  # the cluster head rests in steps of unlabelled images
