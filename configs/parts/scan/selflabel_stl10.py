# SCAN's self-labelling on STL-10: half as long.
parts = ['scan/selflabel']
facts = dict(epochs=100)
