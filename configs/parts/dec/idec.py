# IDEC: DEC that keeps the decoder, by Adam.
parts = ['dec/method']
facts = dict(lr=1e-3, outside=(2000, 500, 500))
model = dict(
    type='IDEC',
    gamma=0.1,
    decoder=dict(type='PlainMLP', in_channels='{embed}', hid_channels='{outside}', out_channels='{width}'))
optim_wrapper = dict(optimizer=dict(_delete_=True, type='Adam', lr='{lr}'))
