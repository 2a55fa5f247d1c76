"""ClusMatch, Table 1: on GCC's and ProPos' ResNet-18; see also bases, large and imagenet.

python tools/experiment.py run experiments/clusmatch/main.py
"""
title = 'ClusMatch, Table 1: on GCC and ProPos, ResNet-18'
metrics = ['nmi', 'acc', 'ari']
# 96 and 64 pixels have GCC's stem, as ClusMatch's networks of ProPos do.
propos = {
    'CIFAR-10': ('data/cifar10', ['propos/r18'], {}),
    'CIFAR-20': ('data/cifar20', ['propos/r18', 'propos/rising_decay'], {}),
    'STL-10': ('data/stl10', ['propos/r18_stl'], {}),
    'ImageNet-10': ('data/imagenet10_96', ['propos/r18_stl'], {}),
    'ImageNet-Dogs': ('data/imagenet_dogs_96', ['propos/r18_stl'], {}),
    'Tiny-ImageNet': ('data/tiny_imagenet', ['propos/r18_stl'], {})}
sigma = {'CIFAR-10': 0.01}
columns = {name: dict(data=data) for name, (data, _, _) in propos.items()}


def figures(text):
    """Column -> metrics of a row of the paper."""
    return {name: dict(zip(('nmi', 'acc', 'ari'), map(float, cell.split('/'))))
            for name, cell in zip(propos, text.split())}


gcc = dict(zip(columns, ('cifar10', 'cifar20', 'stl10', 'imagenet10', 'imagenet_dogs', 'tiny_imagenet')))
on_gcc = {name: dict(recipe=f'gcc_clusmatch_r18_{data}') for name, data in gcc.items()}
rows = {
    'GCC': dict(stage='gcc', cells=on_gcc, paper=figures(
        '.787/.870/.752 .498/.494/.320 .684/.788/.631 .842/.901/.822 .583/.630/.479 .350/.165/.074')),
    'GCC + ClusMatch': dict(cells=on_gcc, paper=figures(
        '.851/.914/.829 .552/.536/.367 .739/.842/.702 .897/.956/.906 .678/.730/.596 .403/.225/.109')),
    'ProPos': dict(
        paper=figures('.853/.921/.844 .576/.576/.409 .819/.905/.808 .895/.941/.884 .650/.668/.546 .471/.318/.188'),
        cells={name: dict(stages=dict(propos=dict(parts=parts))) for name, (_, parts, _) in propos.items()}),
    'ProPos + ClusMatch': dict(
        paper=figures('.890/.949/.893 .601/.592/.426 .863/.929/.854 .939/.977/.949 .745/.798/.685 .482/.408/.232'),
        cells={name: dict(stages=dict(
            propos=dict(parts=parts),
            clusmatch=dict(on='propos', parts=['boosters/clusmatch_release'], facts=dict(
                share=sigma.get(name, 0.1))))) for name, (_, parts, _) in propos.items()})}
