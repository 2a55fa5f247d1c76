# ASD_PS with MutexMatch on CIFAR-20: the config of FreeMatch with another loss.
# Paper, ResNet-18, CIFAR-20, in %: ACC 43.6, NMI 40.7, ARI 23.7.
# tools/dist_train.sh configs/asd_ps_mutexmatch_r18_cifar20.py 4
_base_ = ['asd_ps_freematch_r18_cifar20.py']

model = dict(pseudo_label_loss=dict(type='MutexMatchLoss', in_channels=512))
