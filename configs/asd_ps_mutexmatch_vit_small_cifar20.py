# ASD_PS with MutexMatch on CIFAR-20, split protocol, on DINO's ViT-S/16 at 224 pixels.
# tools/dist_train.sh configs/asd_ps_mutexmatch_vit_small_cifar20.py 4 --cfg-options facts.weights=VIT.pth
# VIT.pth is what tools/model_converters/dino_to_vit.py makes of DINO's file.
data = 'data/cifar20_split'
stages = dict(asd=dict(parts=['asd/vit_small', 'losses/mutexmatch'], facts=dict(lr=5e-4, layer_decay=0.5)))
