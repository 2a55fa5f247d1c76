# A mixture of Gaussians on the pixels of 2,062 photographs of hands that show digits, at 32 pixels, by scikit-learn. No
# figure of a paper corresponds.
# python tools/train.py configs/classical_gaussian_mixture_sign_digits.py
data = 'data/sign_digits'
stages = dict(classical=dict(
    parts=['classical/pixels'], facts=dict(classical='gaussian_mixture')))
