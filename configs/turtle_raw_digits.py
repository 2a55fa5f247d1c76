# TURTLE on the pixels of 8 x 8 digits: a minute or two on a CPU core.
# python tools/train.py configs/turtle_raw_digits.py
data = 'data/digits'
stages = dict(turtle=dict(
    parts=['turtle/method', 'features/raw'],
    facts=dict(columns=64, batch=1797, length=400, epochs=1, val_interval=1)))
