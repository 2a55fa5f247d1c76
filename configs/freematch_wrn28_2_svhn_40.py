# FreeMatch on SVHN with 40 labels, four of each digit; no clustering: the labels are given. Digits are not mirrored;
# the average confidence is capped, as in FreeMatch's release.
# tools/dist_train.sh configs/freematch_wrn28_2_svhn_40.py 4
# Labels of your own: --cfg-options facts.per_class=None hooks.given.labels=labels.csv
data = 'data/svhn_split'
stages = dict(freematch=dict(parts=['semi_supervised/wrn28_2', 'losses/freematch_capped']))
