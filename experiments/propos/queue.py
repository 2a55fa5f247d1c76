"""ProPos, Fig. 8: size of the queue that joins the prototypes, Tiny-ImageNet, ResNet-18, 200 epochs, three runs.

The text names 0 and 4096 alone, and says that 4096 is too large.

python tools/experiment.py run experiments/propos/queue.py
"""
title = 'ProPos, Fig. 8: size of the queue, Tiny-ImageNet, ResNet-18, 200 epochs'
metrics = ['nmi', 'acc', 'ari']
percent = True
data = 'data/tiny_imagenet'
figure = dict(kind='lines', xlabel='queue', metric='nmi')
stages = dict(propos=dict(parts=['propos/r18_stl'], facts=dict(epochs=200)))
rows = {f'queue of {size}': dict(options={'stages.propos.options.model.queue_size': size}, x=size)
        for size in (0, 256, 512, 1024, 2048, 4096)}
