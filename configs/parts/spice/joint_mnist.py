# SPICE's joint training on MNIST.
parts = ['nets/cnn_mnist', 'schedules/fixmatch', 'spice/labels', 'views/weak_strong_mnist']
facts = dict(
    epochs=10, val_interval=5, length=300, lr=0.03, unlabelled=192, decay=0.99, consistent=dict(k=100))
