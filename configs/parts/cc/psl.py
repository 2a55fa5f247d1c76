# CC beside ProPos' prototype scattering: k-means on the projections every epoch, scattering after a warm-up.
facts = dict(warmup=50, psl_weight=0.1)
model = dict(type='CCPSL', psl_temperature=0.5, bank=dict(num_samples=None))
hooks = dict(
    psl_weight=dict(type='ScheduleHook', param='psl_weight', steps=[(0, 0.), ('{warmup}', '{psl_weight}')]),
    kmeans=dict(type='KMeansHook', output='project'))
