# ASD_PS with MutexMatch on CIFAR-20, split protocol, on DINO's ViT-B/16 at 224 pixels.
# Paper, ViT-B/16, CIFAR-20, in %: ACC 65.3, NMI 66.6, ARI 48.8.
# tools/dist_train.sh configs/asd_ps_mutexmatch_vit_base_cifar20.py 4 \
#   --cfg-options model.backbone.init_cfg.checkpoint=VIT.pth
# VIT.pth is what tools/model_converters/dino_to_vit.py makes of DINO's file.
_base_ = ['asd_ps_mutexmatch_vit_small_cifar20.py']

model = dict(
    backbone=dict(arch='deit-base'),
    head=dict(in_channels=768),
    labeller=dict(in_channels=768),
    pseudo_label_loss=dict(in_channels=768))
