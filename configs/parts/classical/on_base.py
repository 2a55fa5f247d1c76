# A method of scikit-learn on the embedding of an earlier stage.
parts = ['classical/method']
model = dict(base='{on.network}')
