# ProPos, then ClusMatch on it, on ImageNet-1K, ResNet-50, with the papers' hyper-parameters.
# Table 1, ProPos ResNet-50: NMI 0.686, ACC 0.465, ARI 0.339. ClusMatch on it: NMI 0.780, ACC 0.634, ARI 0.509.
# tools/dist_train.sh configs/propos_clusmatch_r50_imagenet.py 8 --amp
# A given ProPos checkpoint replaces the first stage: --cfg-options stages.propos.checkpoint=PROPOS.pth
data = 'data/imagenet_workers'
stages = dict(
    propos=dict(parts=['propos/r50_workers']),
    clusmatch=dict(
        on='propos', parts=['boosters/clusmatch', 'boosters/slow_backbone', 'select/by_embedding',
                            'views/weak_strong_imagenet'],
        facts=dict(share=0.2),
        options=dict(
            model=dict(pseudo_label_loss=dict(fairness_weight=0., exclude_kmeans_from_negative=False)),
            hooks=dict(kmeans=dict(batch_size=256, num_workers=8), select=dict(batch_size=256, num_workers=8)))))
