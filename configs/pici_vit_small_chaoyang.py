# PICI on Chaoyang, ViT-Small, with the views of the release, both strong.
# Paper: NMI 0.382, ACC 0.595, ARI 0.382.
# tools/dist_train.sh configs/pici_vit_small_chaoyang.py 1
data = 'data/chaoyang'
stages = dict(pici=dict(parts=['pici/vit_small']))
