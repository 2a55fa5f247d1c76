# Features, or pixels, as they are.
model = dict(base=None, backbone=dict(type='Pixels', out_channels='{columns}'))
network = dict(width='{columns}', embed='{columns}')
