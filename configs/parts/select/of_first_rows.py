# Only the first `first_rows` are selected from: those of STL-10 that are not unlabelled.
parts = ['select/by_consistency']
hooks = dict(select=dict(selector=dict(type='FirstRows', num_rows='{first_rows}', selector='{consistent}')))
