# GCC, then ClusMatch on it, on photographs of hands that show digits.
# python tools/train.py configs/gcc_clusmatch_cnn_sign_digits.py
data = 'data/sign_digits'
stages = dict(
    gcc=dict(parts=['gcc/cnn_sign_digits']),
    clusmatch=dict(on='gcc', parts=['boosters/clusmatch_sign_digits', 'select/by_base_head']))
