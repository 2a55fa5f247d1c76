# PCL on photographs of hands that show digits, at 32 pixels. No figure of the papers corresponds.
# python tools/train.py configs/pcl_cnn_sign_digits.py
data = 'data/sign_digits'
stages = dict(pcl=dict(parts=['pcl/cnn_sign_digits']))
