# Rows whose nearest neighbours share their cluster and which are confident, equally many of every cluster: SPICE's
# reliable labels.
facts = dict(
    ratio=0.95,
    consistent=dict(type='LocalConsistency', k=100, ratio='{ratio}', threshold=0.99))
hooks = dict(select=dict(output='embed+head_probs', selector='{consistent}'))
