# ASD_PS with FixMatch in the place of a host's labels: network and head go on, and the head names the first map.
parts = ['boosters/on_base', 'asd/method', 'boosters/averaged', 'asd/prototypes', 'losses/fixmatch']
model = dict(labeller=dict(reg=1.))     # trained features lie far apart
hooks = dict(transitions=dict(align_first='head'))
