"""Every base on photographs of hands, alone, with ClusMatch and with ASD on it. No figure of a paper corresponds.

python tools/experiment.py run experiments/house/sign_digits.py --jobs 2
"""
from mmcluster.experiments import cross

title = '2,062 photographs of hands that show digits, 32 pixels, K = 10: every base, alone and with a booster'
data = 'data/sign_digits'
metrics = ['acc', 'nmi', 'ari', 'kmeans/acc']   # the last: of k-means on the embedding where a head is the result
precision = ['schedules/bfloat16']              # two thirds of float32's time on a CPU that has it
in_float32 = ('SimCLR', 'MoCo v2', 'SCAN', 'SPICE_s')   # measured on one that has not
contrastive = dict(
    simclr=dict(parts=['simclr/cnn_sign_digits']), moco=dict(parts=['moco/cnn_sign_digits']))
# A base is a line: its stages; a booster goes on from the last one.
bases = {
    'ProPos': dict(propos=dict(parts=['propos/cnn_sign_digits'])),
    'CC': dict(cc=dict(parts=['cc/cnn_sign_digits'])),
    'PICI': dict(pici=dict(parts=['pici/vit_sign_digits'])),
    'GCC': dict(gcc=dict(parts=['gcc/cnn_sign_digits'])),
    'SeCu': dict(secu=dict(parts=['secu/cnn_sign_digits'])),
    'TCL': dict(tcl=dict(parts=['tcl/cnn_sign_digits'])),
    'IDFD': dict(idfd=dict(parts=['idfd/cnn_sign_digits'])),
    'SimSiam': dict(simsiam=dict(parts=['simsiam/cnn_sign_digits'])),
    'BYOL': dict(byol=dict(parts=['byol/cnn_sign_digits'])),
    'BYOL + CC': dict(byol_cc=dict(parts=['byol/cnn_sign_digits', 'byol/cc'])),
    'CC + PSL': dict(cc_psl=dict(parts=['cc/cnn_sign_digits', 'cc/psl'], facts=dict(warmup=20))),
    'PCL': dict(pcl=dict(parts=['pcl/cnn_sign_digits'])),
    'BYOL + PCL': dict(pcl=dict(parts=['pcl/cnn_sign_digits_on_byol'])),
    'DEC': dict(
        autoencoder=dict(parts=['dec/sign_digits']),
        dec=dict(on='autoencoder', parts=['dec/cluster_digits'])),
    'IDEC': dict(
        autoencoder=dict(parts=['dec/sign_digits']),
        idec=dict(on='autoencoder', parts=['dec/idec_digits'])),
    'MoCo v2, both directions': dict(moco=dict(parts=['moco/cnn_sign_digits_symmetric'])),
    'SimCLR': dict(simclr=contrastive['simclr']),
    'MoCo v2': dict(moco=contrastive['moco']),
    'SCAN': dict(simclr=contrastive['simclr'], scan_cluster=dict(on='simclr', parts=['scan/cluster_sign_digits'])),
    'SPICE_s': dict(moco=contrastive['moco'], spice_self=dict(on='moco', parts=['spice/self_sign_digits']))}
boosters = {
    '': {},
    ' + ClusMatch': dict(clusmatch=['boosters/clusmatch_sign_digits']),
    ' + ASD': dict(asd=['asd/on_base_sign_digits'])}
# What clusters pixels, without a network that a booster could train.
alone = {
    'TEMI on pixels': dict(stages=dict(temi=dict(parts=['temi/method', 'features/raw'], facts=dict(
        columns=3072, batch=256, lr=3e-3, decay=0.98, heads=8, hidden=128, bottleneck=64)))),
    'TURTLE on pixels': dict(stages=dict(turtle=dict(parts=['turtle/method', 'features/raw'], facts=dict(
        columns=3072, batch=2062, length=400, epochs=1, val_interval=1)))),
    **{f'{name.replace("_", " ")} on pixels': dict(recipe=f'classical_{name}_sign_digits')
       for name in ('spectral', 'agglomerative', 'birch', 'gaussian_mixture', 'nmf', 'pca_kmeans')}}
rows = {
    'raw pixels, k-means': dict(stages=bases['CC'], control='pixels'),
    'untrained network, k-means': dict(stages=bases['CC'], control='untrained'),
    **alone,
    **cross({name: stages for name, stages in bases.items() if name not in in_float32}, boosters, precision),
    **cross({name: bases[name] for name in in_float32}, boosters)}
# What ASD trains, as on digits; k-means on its embedding is logged beside it.
rows.update({name: {**rows[name], 'source': 'head'} for name in rows if name.endswith(' + ASD')})
rows['SPICE_s']['source'] = 'head'      # its features rest, so k-means on them is still MoCo's
