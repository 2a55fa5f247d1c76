# A booster at the size of MNIST.
parts = ['select/by_embedding', 'views/weak_strong_mnist']
facts = dict(epochs=5, val_interval=5, length=300, unlabelled=192, decay=0.99, share=0.2)
