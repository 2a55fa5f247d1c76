# GCC, then ClusMatch on it, on STL-10.
# Table 1, GCC: NMI 0.684, ACC 0.788, ARI 0.631. ClusMatch on it: NMI 0.739, ACC 0.842, ARI 0.702.
# tools/dist_train.sh configs/gcc_clusmatch_r18_stl10.py 4
data = 'data/stl10'
stages = dict(
    pretext=dict(parts=['gcc/r18_stl', 'gcc/pretext'], data='data/stl10_pretext'),
    gcc=dict(parts=['gcc/r18_stl', 'gcc/after_pretext']),
    clusmatch=dict(on='gcc', parts=['gcc/clusmatch']))
