# DEC on MNIST: 20,000 steps at most.
parts = ['dec/method']
facts = dict(refresh=160, epochs=125)
