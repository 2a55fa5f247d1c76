"""Bases on MNIST, alone, with ClusMatch and with ASD on them. No figure of a paper corresponds but DEC's and IDEC's.

python tools/experiment.py run experiments/house/mnist.py --jobs 2
"""
from mmcluster.experiments import cross

title = 'MNIST, all 70,000 digits, K = 10: bases, alone and with a booster'
data = 'data/mnist'
metrics = ['acc', 'nmi', 'ari', 'kmeans/acc']   # the last: of k-means on the embedding, where it is logged
precision = ['schedules/bfloat16']              # of all that is trained, but for
# boosters on these and what they go on from, which ran on a processor without bfloat16
boosted_in_float32 = ('SimCLR', 'SCAN')
simclr = dict(parts=['simclr/cnn_mnist'])
moco = dict(parts=['moco/cnn_mnist'])
heads = dict(on='moco', parts=['spice/self_mnist'])
# A base is a line: its stages; a booster goes on from the last one.
bases = {
    'CC': dict(cc=dict(parts=['cc/cnn_mnist'])),
    'ProPos': dict(propos=dict(parts=['propos/cnn_mnist'])),
    'SimCLR': dict(simclr=simclr),
    'MoCo v2': dict(moco=moco),
    'SCAN': dict(simclr=simclr, scan_cluster=dict(on='simclr', parts=['scan/cluster_mnist'])),
    'SPICE_s': dict(moco=moco, spice_self=heads),
    'SPICE': dict(moco=moco, spice_self=heads, spice_joint=dict(parts=['spice/joint_mnist'])),
    'ASD_PS': dict(asd_ps=dict(parts=['asd/ps_cnn_mnist', 'losses/freematch_digits'])),
    'DEC': dict(
        autoencoder=dict(parts=['dec/mnist']),
        dec=dict(on='autoencoder', parts=['dec/cluster_mnist'])),
    'IDEC': dict(
        autoencoder=dict(parts=['dec/mnist']),
        idec=dict(on='autoencoder', parts=['dec/idec_mnist']))}
boosters = {
    '': {},
    ' + ClusMatch': dict(clusmatch=['boosters/clusmatch_mnist']),
    ' + ASD': dict(asd=['asd/on_base_mnist'])}
rows = {
    'raw pixels, k-means': dict(stages=bases['CC'], control='pixels'),
    'untrained network, k-means': dict(stages=bases['CC'], control='untrained'),
    **{f'{name.replace("_", " ")} on pixels': dict(recipe=f'classical_{name}_mnist')
       for name in ('birch', 'gaussian_mixture', 'nmf', 'pca_kmeans')},
    **cross(bases, boosters, precision),
    **cross({name: bases[name] for name in boosted_in_float32}, {name: boosters[name] for name in boosters if name})}
for name in ('SPICE_s', 'SPICE', 'ASD_PS'):
    rows[name]['source'] = 'head'       # which each of them trains; k-means on the embedding is logged beside it
