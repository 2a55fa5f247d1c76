# RUC with ASD's labels. The first map waits until images have come twice.
parts = ['ruc/asd', 'ruc/method', 'ruc/views']
facts = dict(length=200, unlabelled=210, first_map=500)
hooks = dict(transitions=dict(first='{first_map}'))
