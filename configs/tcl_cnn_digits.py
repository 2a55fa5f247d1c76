# TCL on 8 x 8 digits with a small CNN; a minute on a CPU core. No figure of the paper corresponds.
# python tools/train.py configs/tcl_cnn_digits.py
data = 'data/digits'
stages = dict(tcl=dict(parts=['tcl/cnn_digits']))
