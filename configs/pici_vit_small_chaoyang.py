# PICI on Chaoyang, ViT-Small, with the views of the release, both strong.
# Paper: NMI 0.382, ACC 0.595, ARI 0.382.
# tools/dist_train.sh configs/pici_vit_small_chaoyang.py 1
_base_ = [
    '_base_/runtime.py', '_base_/datasets/chaoyang.py', '_base_/models/pici_vit_small.py', '_base_/pici_schedule.py'
]

model = dict(head=dict(num_clusters=4))
