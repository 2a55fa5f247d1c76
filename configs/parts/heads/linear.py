# A new linear cluster head.
model = dict(head=dict(type='LinearClusterHead', in_channels='{width}', num_clusters='{num_clusters}'))
