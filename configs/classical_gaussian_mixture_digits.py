# A mixture of Gaussians on the pixels of 8 x 8 digits, by scikit-learn. No figure of a paper corresponds.
# python tools/train.py configs/classical_gaussian_mixture_digits.py
data = 'data/digits'
stages = dict(classical=dict(
    parts=['classical/pixels'], facts=dict(classical='gaussian_mixture')))
