# ASD with MutexMatch on STL-10: the config of FreeMatch with another loss.
# Paper, ResNet-18, STL-10, in %: ACC 74.2, NMI 62.6, ARI 55.3.
# tools/dist_train.sh configs/asd_mutexmatch_r18_stl10.py 4
_base_ = ['asd_freematch_r18_stl10.py']

model = dict(pseudo_label_loss=dict(type='MutexMatchLoss', in_channels=512))
