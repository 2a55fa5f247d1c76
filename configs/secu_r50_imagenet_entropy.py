# SeCu with the entropy of the cluster sizes on ImageNet-1K, ResNet-50; its centres speed up over the run.
# No figure is known here.
# tools/dist_train.sh configs/secu_r50_imagenet_entropy.py 8 --amp
data = 'data/imagenet_workers'
stages = dict(secu=dict(
    parts=['secu/r50_workers', 'secu/entropy'],
    facts=dict(entropy_weight=1e5),
    options=dict(param_scheduler=dict(rising=True))))
