# ProPos on CIFAR-20 with ResNet-34 and that run's own schedule: a cosine that moves once an epoch.
# Table 2, ResNet-34, CIFAR-20: ACC 61.4, NMI 60.6, ARI 45.1 (%).
# tools/dist_train.sh configs/propos_r34_cifar20.py 4
data = 'data/cifar20'
stages = dict(propos=dict(
    parts=['propos/r18', 'nets/r34_cifar', 'propos/rising_decay'],
    options=dict(param_scheduler=dict(stepwise=True))))
