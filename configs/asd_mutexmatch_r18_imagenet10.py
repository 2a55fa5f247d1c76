# ASD with MutexMatch on ImageNet-10: the config of FreeMatch with another loss.
# Paper, ResNet-18, ImageNet-10, in %: ACC 88.3, NMI 83.2, ARI 80.1.
# tools/dist_train.sh configs/asd_mutexmatch_r18_imagenet10.py 4
_base_ = ['asd_freematch_r18_imagenet10.py']

model = dict(pseudo_label_loss=dict(type='MutexMatchLoss', in_channels=512))
