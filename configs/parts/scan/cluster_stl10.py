# SCAN's clustering step on STL-10: twice as long.
parts = ['scan/cluster']
facts = dict(epochs=100)
