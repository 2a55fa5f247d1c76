# ASD_PS with MutexMatch on CIFAR-10, split protocol, on DINO's ViT-B/16 at 224 pixels.
# Paper, ViT-B/16, CIFAR-10, in %: ACC 96.9, NMI 93.0, ARI 92.5.
# tools/dist_train.sh configs/asd_ps_mutexmatch_vit_base_cifar10.py 4 --cfg-options facts.weights=VIT.pth
# VIT.pth is what tools/model_converters/dino_to_vit.py makes of DINO's file.
data = 'data/cifar10_split'
stages = dict(asd=dict(parts=['asd/vit_base', 'losses/mutexmatch']))
