# From CIFAR-10 to SCAN, split protocol: SimCLR, clustering by neighbours, self-labelling; ResNet-18.
# Authors' best weights, CIFAR-10: SCAN ACC 0.816, NMI 0.715, ARI 0.665; self-labelled ACC 0.883, NMI 0.797, ARI 0.772.
# tools/dist_train.sh configs/scan_r18_cifar10.py 4
# A given SimCLR checkpoint replaces the first stage: --cfg-options stages.simclr.checkpoint=SIMCLR.pth
data = 'data/cifar10_split'
stages = dict(
    simclr=dict(parts=['simclr/r18']),
    scan_cluster=dict(on='simclr', parts=['scan/cluster']),
    scan_selflabel=dict(on='scan_cluster', parts=['scan/selflabel']))
