# SPICE on Tiny-ImageNet's 100,000 training images, 200 clusters, with the entropy term that the paper has for this set
# alone. Neither paper nor release says its weight, M or the queue: 1, all images (500 a cluster) and 65,536 are
# guesses.
# Table II, Tiny-ImageNet: SPICE_s ACC 0.305, NMI 0.449, ARI 0.161; SPICE 0.291, 0.427, 0.147.
# tools/dist_train.sh configs/spice_r34_tiny_imagenet.py 4
data = 'data/tiny_imagenet'
stages = dict(
    moco=dict(parts=['moco/r34_stl'], facts=dict(queue=65536)),
    spice_self=dict(
        on='moco',
        parts=['spice/self_stl10'],
        facts=dict(rows=100000, micro_batches=200),
        options=dict(model=dict(entropy_weight=1.))),
    spice_joint=dict(parts=['nets/r34_stl', 'spice/joint'], facts=dict(ratio=0.9, consistent=dict(floor=10))))
