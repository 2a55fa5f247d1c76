# SPICE's heads on STL-10: longer.
parts = ['spice/self']
facts = dict(epochs=100, micro_batches=20)
