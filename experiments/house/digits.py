"""Every base on 8 x 8 digits, alone, with ClusMatch and with ASD on it. No figure of a paper corresponds.

python tools/experiment.py run experiments/house/digits.py --jobs 2
"""
from mmcluster.experiments import cross

title = '8 x 8 digits, K = 10: every base, alone and with a booster'
data = 'data/digits'
metrics = ['acc', 'nmi', 'ari', 'kmeans/acc']   # the last: of k-means on the embedding where a head is the result
contrastive = dict(
    simclr=dict(parts=['simclr/cnn_digits']), moco=dict(parts=['moco/cnn_digits']))
# A base is a line: its stages; a booster goes on from the last one.
bases = {
    'CC': dict(cc=dict(parts=['cc/cnn_digits'])),
    'PICI': dict(pici=dict(parts=['pici/vit_digits'])),
    'GCC': dict(gcc=dict(parts=['gcc/cnn_digits'])),
    'SeCu': dict(secu=dict(parts=['secu/cnn_digits'])),
    'TCL': dict(tcl=dict(parts=['tcl/cnn_digits'])),
    'IDFD': dict(idfd=dict(parts=['idfd/cnn_digits'])),
    'SimSiam': dict(simsiam=dict(parts=['simsiam/cnn_digits'])),
    'BYOL': dict(byol=dict(parts=['byol/cnn_digits'])),
    'BYOL + CC': dict(byol_cc=dict(parts=['byol/cnn_digits', 'byol/cc'])),
    'CC + PSL': dict(cc_psl=dict(parts=['cc/cnn_digits', 'cc/psl'], facts=dict(warmup=20))),
    'PCL': dict(pcl=dict(parts=['pcl/cnn_digits'])),
    'BYOL + PCL': dict(pcl=dict(parts=['pcl/cnn_digits_on_byol'])),
    'DEC': dict(
        autoencoder=dict(parts=['dec/digits']),
        dec=dict(on='autoencoder', parts=['dec/cluster_digits'])),
    'IDEC': dict(
        autoencoder=dict(parts=['dec/digits']),
        idec=dict(on='autoencoder', parts=['dec/idec_digits'])),
    'ProPos': dict(propos=dict(parts=['propos/cnn_digits'])),
    'SimCLR': dict(simclr=contrastive['simclr']),
    'MoCo v2': dict(moco=contrastive['moco']),
    'MoCo v2, both directions': dict(moco=dict(parts=['moco/cnn_digits_symmetric'])),
    'SCAN': dict(simclr=contrastive['simclr'], scan_cluster=dict(on='simclr', parts=['scan/cluster_digits'])),
    'SPICE_s': dict(moco=contrastive['moco'], spice_self=dict(on='moco', parts=['spice/self_digits']))}
boosters = {
    '': {},
    ' + ClusMatch': dict(clusmatch=['boosters/clusmatch_digits']),
    ' + ASD': dict(asd=['asd/on_base_digits'])}
# What clusters pixels, without a network that a booster could train.
alone = {
    'TEMI on pixels': dict(recipe='temi_raw_digits'),
    'TURTLE on pixels': dict(recipe='turtle_raw_digits'),
    **{f'{name.replace("_", " ")} on pixels': dict(recipe=f'classical_{name}_digits')
       for name in ('spectral', 'agglomerative', 'birch', 'gaussian_mixture', 'nmf', 'pca_kmeans')}}
rows = {
    'raw pixels, k-means': dict(stages=bases['ProPos'], control='pixels'),
    'untrained network, k-means': dict(stages=bases['ProPos'], control='untrained'),
    **alone,
    **cross(bases, boosters)}
rows['SPICE_s']['source'] = 'head'      # its features rest, so k-means on them is still MoCo's
