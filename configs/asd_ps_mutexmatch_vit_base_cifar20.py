# ASD_PS with MutexMatch on CIFAR-20, split protocol, on DINO's ViT-B/16 at 224 pixels.
# Paper, ViT-B/16, CIFAR-20, in %: ACC 65.3, NMI 66.6, ARI 48.8.
# tools/dist_train.sh configs/asd_ps_mutexmatch_vit_base_cifar20.py 4 --cfg-options facts.weights=VIT.pth
# VIT.pth is what tools/model_converters/dino_to_vit.py makes of DINO's file.
data = 'data/cifar20_split'
stages = dict(asd=dict(parts=['asd/vit_base', 'losses/mutexmatch'], facts=dict(lr=5e-4, layer_decay=0.5)))
