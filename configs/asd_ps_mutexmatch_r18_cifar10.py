# ASD_PS with MutexMatch on CIFAR-10: the config of FreeMatch with another loss.
# Paper, ResNet-18, CIFAR-10, mean (standard deviation), in %: ACC 93.1 (1.8), NMI 85.9 (5.8), ARI 85.2 (6.5).
# tools/dist_train.sh configs/asd_ps_mutexmatch_r18_cifar10.py 4
_base_ = ['asd_ps_freematch_r18_cifar10.py']

model = dict(pseudo_label_loss=dict(type='MutexMatchLoss', in_channels=512))
