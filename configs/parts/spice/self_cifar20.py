# SPICE's heads on CIFAR-20: twice the rows of an E-step, longer.
parts = ['spice/self']
facts = dict(epochs=100, rows=10000, micro_batches=10)
