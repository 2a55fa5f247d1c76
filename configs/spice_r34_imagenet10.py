# SPICE on ImageNet-10 at 224 pixels, whole protocol, torchvision's ResNet-34 throughout; images stay in memory (2 GB).
# Table II, ImageNet-10: SPICE_s ACC 0.921, NMI 0.828, ARI 0.836; SPICE 0.959, 0.902, 0.912.
# tools/dist_train.sh configs/spice_r34_imagenet10.py 4
data = 'data/imagenet10'
stages = dict(
    moco=dict(parts=['moco/r34'], facts=dict(epochs=5000)),
    spice_self=dict(on='moco', parts=['spice/self_stl10'], facts=dict(micro_batches=100)),
    spice_joint=dict(parts=['nets/r34', 'spice/joint'], facts=dict(ratio=0.9)))
