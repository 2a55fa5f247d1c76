# Features, or pixels, as they are.
model = dict(base=None, backbone=dict(type='Pixels'))
network = dict(width='{columns}', embed='{columns}')
