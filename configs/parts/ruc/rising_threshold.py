# The confidence that relabels a row rises.
hooks = dict(threshold=dict(
    type='ScheduleHook',
    param='relabel_threshold',
    steps=[(0, 0.9), (80, 0.92), (160, 0.94), (240, 0.96), (320, 0.98)]))
