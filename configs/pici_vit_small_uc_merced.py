# PICI on UC-Merced, ViT-Small, with the views of the release, both strong.
# Paper: NMI 0.681, ACC 0.634, ARI 0.492.
# tools/dist_train.sh configs/pici_vit_small_uc_merced.py 1
_base_ = [
    '_base_/runtime.py', '_base_/datasets/uc_merced.py', '_base_/models/pici_vit_small.py', '_base_/pici_schedule.py'
]

model = dict(head=dict(num_clusters=21))
