# ClusMatch on CIFAR-10 with the paper's hyper-parameters: lr 0.01 everywhere, delta 0.001, beta 1, no fairness term.
# Table 1, ProPos ResNet-18 + ClusMatch, CIFAR-10: NMI 0.890, ACC 0.949, ARI 0.893.
# tools/dist_train.sh configs/clusmatch_r18_cifar10_paper.py 4 --cfg-options model.base.init_cfg.checkpoint=PROPOS.pth
_base_ = ['clusmatch_r18_cifar10.py']

model = dict(pseudo_label_loss=dict(ppl_weight=0.001, npl_weight=1., kpl_weight=0.5, fairness_weight=0.,
                                    exclude_kmeans_from_negative=False))
optim_wrapper = dict(optimizer=dict(lr=0.01), paramwise_cfg=dict(lr_mult=dict(backbone=1.)))
