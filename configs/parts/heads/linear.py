# A new linear cluster head.
model = dict(head=dict(type='LinearClusterHead', num_clusters='{num_clusters}'))
