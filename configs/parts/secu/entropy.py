# The entropy of the cluster sizes instead of a least size.
facts = dict(entropy_weight=6000.)
model = dict(entropy_weight='{entropy_weight}')
