# ASD in SCAN on STL-10: half as long, and few iterations.
parts = ['asd/in_scan']
facts = dict(epochs=100, window=100, map_interval=50, first_map=25)
