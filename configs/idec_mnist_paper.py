# IDEC on MNIST with the balance that its paper prints: the squared errors of an image are added up, not averaged.
# IDEC's paper, MNIST: ACC 0.881, NMI 0.867
# python tools/train.py configs/idec_mnist_paper.py
data = 'data/mnist'
stages = dict(
    autoencoder=dict(parts=['dec/mnist']),
    idec=dict(on='autoencoder', parts=['dec/idec_mnist'], options=dict(model=dict(summed_recon=True))))
