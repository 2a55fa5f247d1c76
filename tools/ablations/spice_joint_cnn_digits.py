"""SPICE's reliable labels on 8 x 8 digits, paper against release. The stages before are trained anew for each row.

python tools/analysis_tools/ablation.py tools/ablations/spice_joint_cnn_digits.py --work-dir work_dirs/ablations/joint
"""
title = 'SPICE on digits'
config = '../../configs/spice_cnn_digits.py'
stage = 'spice_joint'
metrics = ['head/acc', 'head/nmi', 'head/ari']
rows = {
    'reliable labels of the release': dict(),
    'of the paper': dict(options={
        'facts.consistent.include_self': False, 'facts.consistent.strict': True, 'facts.consistent.balanced': False,
        'facts.consistent.threshold': None}),
    'clusters of any size': dict(options={'facts.consistent.balanced': False}),
}
