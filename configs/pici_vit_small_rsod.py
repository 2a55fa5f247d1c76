# PICI on RSOD, ViT-Small, with the views of the release, both strong.
# Paper: NMI 0.583, ACC 0.772, ARI 0.510.
# tools/dist_train.sh configs/pici_vit_small_rsod.py 1
_base_ = [
    '_base_/runtime.py', '_base_/datasets/rsod.py', '_base_/models/pici_vit_small.py', '_base_/pici_schedule.py'
]

model = dict(head=dict(num_clusters=4))
