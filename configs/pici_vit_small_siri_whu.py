# PICI on SIRI-WHU, ViT-Small, with the views of the release, both strong.
# Paper: NMI 0.658, ACC 0.672, ARI 0.518.
# tools/dist_train.sh configs/pici_vit_small_siri_whu.py 1
data = 'data/siri_whu'
stages = dict(pici=dict(parts=['pici/vit_small']))
