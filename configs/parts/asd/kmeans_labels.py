# ASD without class transitions (its Fig. 6): rows that are drawn once have the clusters of k-means on their features,
# anew every `map_interval` iterations.
parts = ['boosters/learner', 'heads/linear']
facts = dict(per_cluster=4, labelled='{per_cluster} * {num_clusters}', map_interval=1000)
hooks = dict(select=dict(type='SelectHook', interval='{map_interval}', by_epoch=False, align=True, selector=dict(
    type='SampledKMeans', num_rows='{labelled}')))
