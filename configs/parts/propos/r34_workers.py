# ProPos with torchvision's ResNet-34 on photographs.
parts = ['nets/r34', 'propos/method', 'views/simclr_workers', 'schedules/propos']
hooks = dict(kmeans=dict(batch_size=256, num_workers=8))     # its sweep decodes too
