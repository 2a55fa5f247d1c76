# SeCu on all 113,000 images of STL-10, then ClusMatch on it with the 13,000 labelled ones. No figure of the papers
# corresponds.
# tools/dist_train.sh configs/secu_clusmatch_r18_stl10.py 4 --amp
# A given SeCu checkpoint replaces the first stage: --cfg-options stages.secu.checkpoint=SECU.pth
data = 'data/stl10'
stages = dict(
    secu=dict(parts=['secu/r18_stl'], data='data/stl10_pretext'),
    clusmatch=dict(
        on='secu', parts=['boosters/clusmatch', 'boosters/slow_backbone', 'select/by_older_head', 'views/weak_strong'],
        facts=dict(share=0.1)))
