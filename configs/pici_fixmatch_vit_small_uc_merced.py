# PICI, then FixMatch on it, on UC-Merced. No figure of a paper corresponds.
# tools/dist_train.sh configs/pici_fixmatch_vit_small_uc_merced.py 1
# A given PICI checkpoint replaces the first stage: --cfg-options stages.pici.checkpoint=PICI.pth
data = 'data/uc_merced'
stages = dict(
    pici=dict(parts=['pici/vit_small']),
    fixmatch=dict(on='pici', parts=['boosters/fixmatch', 'pici/boosted']))
