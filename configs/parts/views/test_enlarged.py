# Images that are smaller than the network wants are enlarged for evaluation.
model = dict(data_preprocessor=dict(test=[dict(type='BatchResize', size='{size}')]))
