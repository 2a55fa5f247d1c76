# PICI on AID, ViT-Small, with the views of the release, both strong.
# Paper: NMI 0.800, ACC 0.748, ARI 0.663.
# tools/dist_train.sh configs/pici_vit_small_aid.py 1
_base_ = [
    '_base_/runtime.py', '_base_/datasets/aid.py', '_base_/models/pici_vit_small.py', '_base_/pici_schedule.py'
]

model = dict(head=dict(num_clusters=30))
