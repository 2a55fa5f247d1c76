# Stored views for a booster.
parts = ['views/stored']
model = dict(data_preprocessor=dict(views=dict(labelled=['{weak}'], unlabelled=['{weak}', '{strong}'])))
