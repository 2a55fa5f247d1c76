# GCC goes on from the network of a stage `pretext`; the graph begins when every image has four features.
facts = dict(epochs=953, graph_begin=4)
model = dict(
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='{pretext}', prefix='backbone')),
    projector=dict(init_cfg=dict(type='Pretrained', checkpoint='{pretext}', prefix='projector')))
