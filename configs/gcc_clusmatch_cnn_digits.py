# GCC, then ClusMatch on it, on 8 x 8 digits: minutes on a CPU core.
# python tools/train.py configs/gcc_clusmatch_cnn_digits.py
data = 'data/digits'
stages = dict(
    gcc=dict(parts=['gcc/cnn_digits']),
    clusmatch=dict(on='gcc', parts=['boosters/clusmatch_digits', 'select/by_base_head']))
