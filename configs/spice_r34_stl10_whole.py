# SPICE on STL-10, whole protocol: heads and labels use train + test, MoCo and the joint WRN-37-2 the unlabelled images
# too.
# Table II, STL-10: SPICE_s ACC 0.908, NMI 0.817, ARI 0.812; SPICE 0.938, 0.872, 0.870.
# tools/dist_train.sh configs/spice_r34_stl10_whole.py 4
data = 'data/stl10'
stages = dict(
    moco=dict(parts=['moco/r34_stl'], data='data/stl10_pretext', facts=dict(queue=65536)),
    spice_self=dict(on='moco', parts=['spice/self_stl10']),
    spice_joint=dict(
        parts=['nets/wrn37_2', 'spice/joint', 'select/of_first_rows'],
        data='data/stl10_pretext',
        facts=dict(ratio=0.9, first_rows=13000)))
