# PICI on UC-Merced, ViT-Small, with the views of the paper's text, weak and strong.
# Paper: NMI 0.681, ACC 0.634, ARI 0.492.
# tools/dist_train.sh configs/pici_vit_small_uc_merced_weak_strong.py 1
data = 'data/uc_merced'
stages = dict(pici=dict(parts=['pici/vit_small', 'views/pici_paper']))
