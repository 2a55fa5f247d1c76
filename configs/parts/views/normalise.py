# Mean and deviation of the data set, in grey levels.
model = dict(data_preprocessor=dict(type='ViewPreprocessor', mean='{mean}', std='{std}'))
