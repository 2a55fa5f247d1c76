# TEMI on the pixels of 8 x 8 digits: two minutes on a CPU core.
# python tools/train.py configs/temi_raw_digits.py
data = 'data/digits'
stages = dict(temi=dict(
    parts=['temi/method', 'features/raw'],
    facts=dict(columns=64, batch=256, lr=3e-3, decay=0.98, heads=8, hidden=128, bottleneck=64)))
