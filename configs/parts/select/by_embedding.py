# A new linear head on the embedding of the base; labelled are the rows nearest to the centre of their k-means cluster.
parts = ['heads/linear']
hooks = dict(select=dict(selector=dict(type='CentroidDistance', sigma='{share}')))
