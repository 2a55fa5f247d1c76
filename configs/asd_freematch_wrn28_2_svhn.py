# Semi-supervised clustering of SVHN: ASD with FreeMatch and 40 given labels, four of each digit, then without them. The
# second stage goes on from the first one's networks, instance classes and transitions; its first map is made at once
# and named by the head. The paper does not say how many labels, how long and which network; these are FreeMatch's.
# Paper, SVHN, in %: ACC 72.6, NMI 56.2, ARI 50.4.
# tools/dist_train.sh configs/asd_freematch_wrn28_2_svhn.py 4
# Labels of your own: --cfg-options stages.given.options.facts.per_class=None \
#   stages.given.options.hooks.given.labels=labels.csv
data = 'data/svhn_split'
stages = dict(
    given=dict(parts=['nets/wrn28_2', 'asd/new_head', 'asd/given', 'losses/freematch_capped']),
    asd=dict(
        parts=['nets/wrn28_2', 'asd/new_head', 'losses/freematch_capped'],
        options=dict(
            model=dict(init_cfg=dict(type='Pretrained', checkpoint='{given}', leave_out=[r'bank\.target'])),
            hooks=dict(transitions=dict(align_first='head', first=1)))))
