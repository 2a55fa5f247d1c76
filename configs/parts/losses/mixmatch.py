# MixMatch: guesses of two weak views, mixed with as many labelled images; their weight rises.
facts = dict(unlabelled='{labelled}')
model = dict(
    data_preprocessor=dict(views=dict(unlabelled=['{weak}', '{weak}'])),
    pseudo_label_loss=dict(type='MixMatchLoss'))
hooks = dict(unsup_weight=dict(
    type='ScheduleHook', param='pseudo_label_loss.unsup_weight', linear=dict(start=0., end=100., until=0.4)))
