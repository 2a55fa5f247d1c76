# No clustering: some labels are given, `per_class` of each class, drawn with a seed of their own. From random weights.
# Labels of your own: facts.per_class=None hooks.given.labels=labels.csv
parts = ['boosters/learner', 'heads/linear']
facts = dict(per_class=4)
hooks = dict(given=dict(type='GroundTruthHook', per_class='{per_class}', seed=0))
metrics = dict(head=dict(top1=True))
