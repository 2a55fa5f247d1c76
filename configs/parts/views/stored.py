# Weak and strong views of features that were stored with them, `weak` and `strong`.
facts = dict(weak=[dict(type='StoredView', kind='weak')], strong=[dict(type='StoredView', kind='strong')])
