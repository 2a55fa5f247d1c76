# SimCLR on 8 x 8 digits with a small CNN; the first stage of scan_cnn_digits.py.
# python tools/train.py configs/simclr_cnn_digits.py
data = 'data/digits'
stages = dict(simclr=dict(parts=['simclr/cnn_digits']))
