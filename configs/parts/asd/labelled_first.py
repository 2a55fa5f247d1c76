# Rows draw their views by running numbers over the streams, in this order: the one with which digits were measured.
train_dataloader = dict(sampler=dict(streams=dict(labelled=dict())))
