# PICI on D0, ViT-Small, with the views of the release, both strong.
# Paper: NMI 0.731, ACC 0.568, ARI 0.500.
# tools/dist_train.sh configs/pici_vit_small_d0.py 1
_base_ = [
    '_base_/runtime.py', '_base_/datasets/d0.py', '_base_/models/pici_vit_small.py', '_base_/pici_schedule.py'
]

model = dict(head=dict(num_clusters=40))
