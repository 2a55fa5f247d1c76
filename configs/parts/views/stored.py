# Weak and strong views of features that were stored with them.
facts = dict(weak=[dict(type='StoredView', kind='weak')], strong=[dict(type='StoredView', kind='strong')])
model = dict(data_preprocessor=dict(views=dict(labelled=['{weak}'], unlabelled=['{weak}', '{strong}'])))
