# ASD_PS with MutexMatch on STL-10, split protocol, on DINO's ViT-B/16 at 224 pixels.
# Paper, ViT-B/16, STL-10, in %: ACC 97.5, NMI 89.6, ARI 86.2.
# tools/dist_train.sh configs/asd_ps_mutexmatch_vit_base_stl10.py 4 --cfg-options facts.weights=VIT.pth
# VIT.pth is what tools/model_converters/dino_to_vit.py makes of DINO's file.
data = 'data/stl10_split'
stages = dict(asd=dict(parts=['asd/vit_base', 'losses/mutexmatch']))
