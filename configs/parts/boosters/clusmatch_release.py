# ClusMatch's release on a base with an embedding.
parts = ['boosters/clusmatch', 'boosters/slow_backbone', 'select/by_embedding', 'views/weak_strong']
