# PCL on 8 x 8 digits with a small CNN. No figure of the papers corresponds.
# python tools/train.py configs/pcl_cnn_digits.py
data = 'data/digits'
stages = dict(pcl=dict(parts=['pcl/cnn_digits']))
