# From 8 x 8 digits to ClusMatch without pre-training: ASD_PS with FreeMatch, whose averaged network and head ClusMatch
# takes over, with the rows that the head is surest of as its labelled ones.
# python tools/train.py configs/asd_ps_clusmatch_cnn_digits.py
stages = dict(
    asd=dict(config='asd_ps_freematch_cnn_digits.py'),
    clusmatch=dict(
        config='clusmatch_cnn_digits.py',
        options=dict(
            model=dict(
                head=None,
                base=dict(
                    _delete_=True,
                    type='Boost',
                    bank=dict(num_samples=None, fields=dict(pool=dict())),
                    backbone=dict(type='SmallCNN', in_channels=1, widths=(32, 64, 128)),
                    head=dict(type='LinearClusterHead', in_channels=128, num_clusters=10),
                    labeller=dict(
                        type='ASDLabels', in_channels=128, num_clusters=10, num_labelled=40, num_unlabelled=280,
                        window=100),
                    pseudo_label_loss=dict(type='FreeMatchLoss', num_clusters=10),
                    teacher=dict(decay=0.99, buffers='live'),
                    init_cfg=dict(type='Pretrained', checkpoint='{asd}'))),
            custom_hooks={'0': dict(
                output='head_probs', selector=dict(_delete_=True, type='ProbabilityVariance', sigma=0.2))})))
