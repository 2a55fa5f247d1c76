# CC, then ClusMatch, on all 60,000 images of CIFAR-10 (JPEG) within a budget of processor time: 36 epochs of both take
# about an hour of one core; --epochs 18 is half of it. See docs/en/speedrun.md.
# OMP_NUM_THREADS=1 python tools/train.py configs/cc_clusmatch_cnn_cifar10_jpeg_speedrun.py --amp
data = 'data/cifar10_jpeg'
default_hooks = dict(checkpoint=dict(interval=1))
stages = dict(
    cc=dict(parts=['cc/cnn_fast']),
    clusmatch=dict(on='cc', parts=['boosters/clusmatch_fast', 'select/by_head']))
