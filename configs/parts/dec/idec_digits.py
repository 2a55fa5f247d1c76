# IDEC on a few thousand images: targets every 30 steps.
parts = ['dec/idec']
facts = dict(refresh=30, epochs=100)
