# PICI on SIRI-WHU, ViT-Small, with the views of the release, both strong.
# Paper: NMI 0.658, ACC 0.672, ARI 0.518.
# tools/dist_train.sh configs/pici_vit_small_siri_whu.py 1
_base_ = [
    '_base_/runtime.py', '_base_/datasets/siri_whu.py', '_base_/models/pici_vit_small.py', '_base_/pici_schedule.py'
]

model = dict(head=dict(num_clusters=12))
