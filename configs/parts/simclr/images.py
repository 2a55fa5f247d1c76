# SimCLR as SCAN trains it, on any backbone.
parts = ['simclr/method', 'views/simclr', 'schedules/simclr']
facts = dict(least_area=0.2)
