# DEC on 8 x 8 digits: an autoencoder, then clusters; minutes on one CPU thread. No figure of the paper corresponds.
# python tools/train.py configs/dec_digits.py
data = 'data/digits'
stages = dict(
    autoencoder=dict(parts=['dec/digits']),
    dec=dict(on='autoencoder', parts=['dec/cluster_digits']))
