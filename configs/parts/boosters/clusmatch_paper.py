# ClusMatch with the paper's hyper-parameters: one rate everywhere, delta 0.001, beta 1, no fairness term.
parts = ['boosters/clusmatch_release']
facts = dict(lr=0.01)
model = dict(pseudo_label_loss=dict(
    ppl_weight=0.001, npl_weight=1., kpl_weight=0.5, fairness_weight=0., exclude_kmeans_from_negative=False))
optim_wrapper = dict(paramwise_cfg=dict(lr_mult=dict(backbone=1.)))
