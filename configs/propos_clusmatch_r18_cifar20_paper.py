# ProPos, then ClusMatch on CIFAR-20 with the papers' hyper-parameters: no resampling, constant decay; no fairness term,
# a tenth of the rows labelled, and all weights and rates as in the release.
# Table 1, ProPos ResNet-18 + ClusMatch, CIFAR-20: NMI 0.601, ACC 0.592, ARI 0.426.
# tools/dist_train.sh configs/propos_clusmatch_r18_cifar20_paper.py 4
data = 'data/cifar20'
stages = dict(
    propos=dict(parts=['propos/r18']),
    clusmatch=dict(
        on='propos', parts=['boosters/clusmatch_release'],
        options=dict(model=dict(pseudo_label_loss=dict(fairness_weight=0., exclude_kmeans_from_negative=False)))))
