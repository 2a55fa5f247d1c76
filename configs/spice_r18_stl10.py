# From STL-10 to SPICE's joint network, split protocol, ResNet-18 throughout. Heads and labels use the 5,000 training
# images, MoCo and the joint stage also the 100,000 unlabelled ones; the test images only measure.
# Table III, ResNet-18, STL-10: SPICE_s ACC 0.862, NMI 0.756, ARI 0.732; SPICE 0.920, 0.852, 0.836.
# tools/dist_train.sh configs/spice_r18_stl10.py 4
data = 'data/stl10_split'
stages = dict(
    moco=dict(parts=['moco/r18_stl'], data='data/stl10_pretext_split'),
    spice_self=dict(on='moco', parts=['spice/self_stl10']),
    spice_joint=dict(
        parts=['nets/r18_stl', 'spice/joint', 'select/of_first_rows'],
        data='data/stl10_pretext_split',
        facts=dict(ratio=0.9, first_rows=5000)))
