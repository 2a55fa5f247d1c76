# BYOL + PCL, then ClusMatch on it, on photographs of hands that show digits, at 32 pixels.
# python tools/train.py configs/byol_pcl_clusmatch_cnn_sign_digits.py
data = 'data/sign_digits'
stages = dict(
    pcl=dict(parts=['pcl/cnn_sign_digits_on_byol']),
    clusmatch=dict(on='pcl', parts=['boosters/clusmatch_sign_digits']))
