# ASD while a few labels are given: the learner has them instead of a map's, and the head of instance classes trains
# beside it.
facts = dict(per_class=4)
model = dict(labeller=dict(given='target'))
train_dataloader = dict(sampler=dict(streams=dict(labelled=dict(pool='target'))))
hooks = dict(
    given=dict(type='GroundTruthHook', per_class='{per_class}', seed=0), transitions=None, collapse=None)
metrics = dict(head=dict(top1=True))
find_unused_parameters = False
