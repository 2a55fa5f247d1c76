# TCL on 2,062 photographs of hands that show digits, at 32 pixels with a small CNN: minutes on one CPU thread.
# No figure of the paper corresponds.
# python tools/train.py configs/tcl_cnn_sign_digits.py
data = 'data/sign_digits'
stages = dict(tcl=dict(parts=['tcl/cnn_sign_digits']))
