# Who labels comes first, the average of the weights last; a booster names those that it has.
hooks = dict(select=None, given=None, kmeans=None, unsup_weight=None, teacher=None)
metrics = dict(kmeans=None, head=None)
