# PICI, then ClusMatch on it, on UC-Merced. No figure of a paper corresponds.
# tools/dist_train.sh configs/pici_clusmatch_vit_small_uc_merced.py 1
# A given PICI checkpoint replaces the first stage: --cfg-options stages.pici.checkpoint=PICI.pth
data = 'data/uc_merced'
stages = dict(
    pici=dict(parts=['pici/vit_small']),
    clusmatch=dict(
        on='pici', parts=['boosters/clusmatch', 'pici/boosted'],
        options=dict(hooks=dict(kmeans=dict(batch_size='{sweep}', num_workers=8)))))
