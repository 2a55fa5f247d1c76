# GCC, then ASD_PS on its network and head, on 8 x 8 digits: minutes on a CPU core.
# python tools/train.py configs/gcc_asd_cnn_digits.py
data = 'data/digits'
stages = dict(
    gcc=dict(parts=['gcc/cnn_digits']),
    asd=dict(on='gcc', parts=['asd/in_scan_digits']))
