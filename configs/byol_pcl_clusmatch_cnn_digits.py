# BYOL + PCL, then ClusMatch on it, on 8 x 8 digits with a small CNN.
# python tools/train.py configs/byol_pcl_clusmatch_cnn_digits.py
data = 'data/digits'
stages = dict(
    pcl=dict(parts=['pcl/cnn_digits_on_byol']),
    clusmatch=dict(on='pcl', parts=['boosters/clusmatch_digits']))
