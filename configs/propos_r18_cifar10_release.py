# ProPos on CIFAR-10 as released on four processes, with the faults of its gather; `propos_r18_cifar10.py` has none.
# tools/dist_train.sh configs/propos_r18_cifar10_release.py 4
data = 'data/cifar10'
stages = dict(propos=dict(parts=['propos/r18', 'propos/processes_release'], facts=dict(batch=512, lr=0.1)))
