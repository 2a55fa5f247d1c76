# ClusMatch's release on GCC: a new head, a slow backbone.
parts = ['boosters/clusmatch', 'boosters/slow_backbone', 'select/by_base_head', 'views/weak_strong']
