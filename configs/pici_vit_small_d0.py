# PICI on D0, ViT-Small, with the views of the release, both strong.
# Paper: NMI 0.731, ACC 0.568, ARI 0.500.
# tools/dist_train.sh configs/pici_vit_small_d0.py 1
data = 'data/d0'
stages = dict(pici=dict(parts=['pici/vit_small']))
