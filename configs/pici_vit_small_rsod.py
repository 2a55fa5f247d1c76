# PICI on RSOD, ViT-Small, with the views of the release, both strong.
# Paper: NMI 0.583, ACC 0.772, ARI 0.510.
# tools/dist_train.sh configs/pici_vit_small_rsod.py 1
data = 'data/rsod'
stages = dict(pici=dict(parts=['pici/vit_small']))
