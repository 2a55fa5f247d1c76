# PICI on AID, ViT-Small, with the views of the release, both strong.
# Paper: NMI 0.800, ACC 0.748, ARI 0.663.
# tools/dist_train.sh configs/pici_vit_small_aid.py 1
data = 'data/aid'
stages = dict(pici=dict(parts=['pici/vit_small']))
