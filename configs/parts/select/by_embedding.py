# Rows nearest to the centre of their k-means cluster; `sigma` is the share of the data set.
facts = dict(share=0.1)
hooks = dict(select=dict(selector=dict(type='CentroidDistance', num_clusters='{num_clusters}', sigma='{share}')))
