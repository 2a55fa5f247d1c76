# ASD_PS with MutexMatch on ImageNet-Dogs: the config of FreeMatch with another loss.
# Paper, ResNet-18, ImageNet-Dogs, in %: ACC 66.5, NMI 62.0, ARI 52.9.
# tools/dist_train.sh configs/asd_ps_mutexmatch_r18_imagenet_dogs.py 4
_base_ = ['asd_ps_freematch_r18_imagenet_dogs.py']

model = dict(pseudo_label_loss=dict(type='MutexMatchLoss', in_channels=512))
