# DEC on a few thousand images: targets every 30 steps.
parts = ['dec/method']
facts = dict(refresh=30, epochs=100)
