# DEC on 2,062 photographs of hands that show digits, on their pixels: minutes on one CPU thread. No figure of the paper
# corresponds.
# python tools/train.py configs/dec_sign_digits.py
data = 'data/sign_digits'
stages = dict(
    autoencoder=dict(parts=['dec/sign_digits']),
    dec=dict(on='autoencoder', parts=['dec/cluster_digits']))
