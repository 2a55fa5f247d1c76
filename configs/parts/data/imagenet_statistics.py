# Mean and deviation of ImageNet in the place of those of the data set.
facts = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
