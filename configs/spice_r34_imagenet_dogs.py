# SPICE on ImageNet-Dogs at 224 pixels, whole protocol, as on ImageNet-10 but for K = 15, M = 8000 and MoCo's epochs.
# Table II, ImageNet-Dog: SPICE_s ACC 0.646, NMI 0.572, ARI 0.479; SPICE 0.675, 0.627, 0.526.
# tools/dist_train.sh configs/spice_r34_imagenet_dogs.py 4
data = 'data/imagenet_dogs'
stages = dict(
    moco=dict(parts=['moco/r34'], facts=dict(epochs=3000)),
    spice_self=dict(on='moco', parts=['spice/self_stl10'], facts=dict(rows=8000, micro_batches=100)),
    spice_joint=dict(parts=['nets/r34', 'spice/joint'], facts=dict(ratio=0.9)))
