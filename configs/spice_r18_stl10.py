# From STL-10 to SPICE's joint network, split protocol, ResNet-18 throughout. Heads and labels use the 5,000 training
# images, MoCo and the joint stage also the 100,000 unlabelled ones; the test images only measure.
# Table III, ResNet-18, STL-10: SPICE_s ACC 0.862, NMI 0.756, ARI 0.732; SPICE 0.920, 0.852, 0.836.
# tools/dist_train.sh configs/spice_r18_stl10.py 4
stages = dict(
    moco=dict(config='moco_r18_stl10.py'),
    spice_self=dict(config='spice_self_r18_stl10.py'),
    spice_joint=dict(config='spice_joint_r18_stl10.py'))
