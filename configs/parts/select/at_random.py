# Random rows of each cluster in the place of those that a selection ranks first.
hooks = dict(select=dict(selector=dict(_delete_=True, type='RandomRows', sigma='{share}')))
