# Semi-supervised clustering of SVHN: ASD with FreeMatch and 40 given labels, then without them. The paper does not say
# how many labels, how long and which network; these are FreeMatch's.
# Paper, SVHN, in %: ACC 72.6, NMI 56.2, ARI 50.4.
# tools/dist_train.sh configs/asd_freematch_wrn28_2_svhn.py 4
stages = dict(
    given=dict(config='asd_given_freematch_wrn28_2_svhn_40.py'),
    asd=dict(config='asd_on_freematch_wrn28_2_svhn.py'))
