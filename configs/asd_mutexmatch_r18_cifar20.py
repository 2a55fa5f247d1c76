# ASD with MutexMatch on CIFAR-20: the config of FreeMatch with another loss.
# Paper, ResNet-18, CIFAR-20, in %: ACC 40.2, NMI 38.5, ARI 22.4.
# tools/dist_train.sh configs/asd_mutexmatch_r18_cifar20.py 4
_base_ = ['asd_freematch_r18_cifar20.py']

model = dict(pseudo_label_loss=dict(type='MutexMatchLoss', in_channels=512))
