# GCC, then ASD_PS on its network and head, on photographs of hands that show digits.
# python tools/train.py configs/gcc_asd_cnn_sign_digits.py
data = 'data/sign_digits'
stages = dict(
    gcc=dict(parts=['gcc/cnn_sign_digits']),
    asd=dict(on='gcc', parts=['asd/on_host_sign_digits']))
