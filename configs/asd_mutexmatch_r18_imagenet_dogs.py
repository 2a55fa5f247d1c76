# ASD with MutexMatch on ImageNet-Dogs: the config of FreeMatch with another loss.
# Paper, ResNet-18, ImageNet-Dogs, in %: ACC 65.1, NMI 61.6, ARI 52.5.
# tools/dist_train.sh configs/asd_mutexmatch_r18_imagenet_dogs.py 4
_base_ = ['asd_freematch_r18_imagenet_dogs.py']

model = dict(pseudo_label_loss=dict(type='MutexMatchLoss', in_channels=512))
