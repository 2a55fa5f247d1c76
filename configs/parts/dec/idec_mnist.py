# IDEC on MNIST: 20,000 steps at most.
parts = ['dec/idec']
facts = dict(refresh=140, epochs=143)
