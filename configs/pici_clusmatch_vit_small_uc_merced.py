# From images to the fine-tuned clustering of UC-Merced: PICI, then ClusMatch on it. No figure of a paper corresponds.
# tools/dist_train.sh configs/pici_clusmatch_vit_small_uc_merced.py 1
# A given PICI checkpoint replaces the first stage: --cfg-options stages.pici.checkpoint=PICI.pth
stages = dict(
    pici=dict(config='pici_vit_small_uc_merced.py'),
    clusmatch=dict(config='clusmatch_pici_vit_small_uc_merced.py'))
