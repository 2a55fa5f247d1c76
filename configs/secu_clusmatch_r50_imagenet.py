# SeCu, then ClusMatch on it, on ImageNet-1K, ResNet-50, with the paper's hyper-parameters.
# Table 1, SeCu (the authors' own run): NMI 0.739, ACC 0.521, ARI 0.404. ClusMatch on it: NMI 0.763, ACC 0.542, ARI 0.425.
# tools/dist_train.sh configs/secu_clusmatch_r50_imagenet.py 8 --amp
# A given SeCu checkpoint replaces the first stage: --cfg-options stages.secu.checkpoint=SECU.pth
data = 'data/imagenet_workers'
stages = dict(
    secu=dict(parts=['secu/r50_workers']),
    clusmatch=dict(
        on='secu', parts=['boosters/clusmatch', 'boosters/slow_backbone', 'select/by_older_head',
                          'views/weak_strong_imagenet'],
        facts=dict(share=0.2),
        options=dict(
            model=dict(pseudo_label_loss=dict(fairness_weight=0., exclude_kmeans_from_negative=False)),
            hooks=dict(kmeans=dict(batch_size=256, num_workers=8), select=dict(batch_size=256, num_workers=8)))))
