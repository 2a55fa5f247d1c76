"""Names of the parameters of ResNets in released checkpoints."""
from __future__ import annotations

import re
from typing import Iterable

from torch import Tensor

State = dict[str, Tensor]
BATCH_NORM = ('weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked')
BLOCK = re.compile(r'layer(\d)\.(\d+)\.')
DEPTHS = {((2, 2, 2, 2), 2): 18, ((3, 4, 6, 3), 2): 34, ((3, 4, 6, 3), 3): 50}


class ConversionError(ValueError):
    """The file is not of the layout that the converter knows."""


def listed(names: Iterable[str], limit: int = 8) -> str:
    """Join names for a message, the first ``limit`` of them."""
    names = sorted(names)
    more = f' and {len(names) - limit} more' if len(names) > limit else ''
    return ', '.join(names[:limit]) + more


def check_names(got: Iterable[str], expected: Iterable[str], where: str) -> None:
    """Raise unless two sets of names agree.

    Args:
        got: Names of the file.
        expected: Names of the network.
        where: What they belong to, for the message.
    """
    missing, unknown = set(expected) - set(got), set(got) - set(expected)
    if missing or unknown:
        problems = [f'{what}: {listed(names)}' for what, names in (('missing', missing), ('unknown', unknown)) if names]
        raise ConversionError(f'{where} does not fit; ' + '; '.join(problems))


def norm_names(name: str) -> list[str]:
    """State dict names of a batch norm called ``name``."""
    return [f'{name}.{entry}' for entry in BATCH_NORM]


def resnet_names(blocks: tuple[int, ...], convs: int, branch: str) -> list[str]:
    """State dict names of a ResNet without classifier.

    Args:
        blocks: Blocks per stage.
        convs: Convolutions per block, 2 (basic) or 3 (bottleneck).
        branch: Name of the residual branch, ``'downsample'`` or ``'shortcut'``.

    Returns:
        Names in the order of the network.
    """
    names = ['conv1.weight', *norm_names('bn1')]
    for stage, count in enumerate(blocks, 1):
        for block in range(count):
            at = f'layer{stage}.{block}'
            for i in range(1, convs + 1):
                names += [f'{at}.conv{i}.weight', *norm_names(f'{at}.bn{i}')]
            if block == 0 and (stage > 1 or convs == 3):
                names += [f'{at}.{branch}.0.weight', *norm_names(f'{at}.{branch}.1')]
    return names


def convert_backbone(state: State, stem: str, where: str) -> tuple[State, dict]:
    """Rename a ResNet to mmpretrain's names, or to those of ``GCCResNet``.

    Children are named, or numbered as in an ``nn.Sequential``: 0 and 1 are the stem, the four stages are 3 to 6, or
    4 to 7 when a max pool comes before them.

    Args:
        state: Parameters without prefix; an unused classifier ``fc`` is ignored.
        stem: ``'cifar'``, ``'plain'``, ``'gcc'`` or ``'auto'``. A 7x7 stem is plain; a 3x3 stem is GCC's if the
            residual branches are called ``shortcut``, else CIFAR's. GCC's own CIFAR network needs ``'cifar'``.
        where: For messages.

    Returns:
        The renamed state, and ``dict(stem=..., depth=...)``.
    """
    tops = {name.partition('.')[0] for name in state} - {'fc'}
    names = {name: name for name in tops if not name.isdigit()}
    stages = sorted(int(name) for name in tops if name.isdigit() and int(name) > 1)
    if stages:
        if stages not in ([3, 4, 5, 6], [4, 5, 6, 7]):
            raise ConversionError(f'{where}: the numbered children {stages} are not the four stages of a ResNet')
        names = {'0': 'conv1', '1': 'bn1', **{str(n): f'layer{i}' for i, n in enumerate(stages, 1)}}
    renamed = {}
    for name, value in state.items():
        top, _, rest = name.partition('.')
        if top != 'fc':
            renamed[f'{names.get(top, top)}.{rest}'] = value
    stem = resolve_stem(renamed, stem, stages, where)
    old, new = ('downsample', 'shortcut') if stem == 'gcc' else ('shortcut', 'downsample')
    renamed = {name.replace(f'.{old}.', f'.{new}.'): value for name, value in renamed.items()}
    found = [match.groups() for match in map(BLOCK.match, renamed) if match]
    blocks = tuple(len({block for stage, block in found if stage == str(i)}) for i in range(1, 5))
    convs = 3 if any('.conv3.' in name for name in renamed) else 2
    if (blocks, convs) not in DEPTHS:
        raise ConversionError(f'{where}: {blocks} blocks of {convs} convolutions are no ResNet-18, 34 or 50')
    check_names(renamed, resnet_names(blocks, convs, new), where)
    return renamed, dict(stem=stem, depth=DEPTHS[blocks, convs])


def resolve_stem(state: State, stem: str, stages: list[int], where: str) -> str:
    """Tell the stem of a renamed ResNet, or check the one that was asked for.

    Args:
        state: Parameters under their names.
        stem: See :func:`convert_backbone`.
        stages: Numbers of the stages in the file, empty if they were named.
        where: For messages.

    Returns:
        ``'cifar'``, ``'plain'`` or ``'gcc'``.
    """
    weight = state.get('conv1.weight')
    kernel = None if weight is None or weight.dim() != 4 else weight.shape[-1]
    if kernel not in (3, 7):
        raise ConversionError(f'{where}: missing a stem convolution conv1 of 3x3 or 7x7')
    guess = 'plain' if kernel == 7 else 'gcc' if any('.shortcut.' in name for name in state) else 'cifar'
    stem = guess if stem == 'auto' else stem
    if (stem == 'plain') != (kernel == 7) or (stages and (stages[0] == 4) != (stem == 'plain')):
        raise ConversionError(f'{where}: the file has a {kernel}x{kernel} stem'
                              f'{f" and its stages start at child {stages[0]}" if stages else ""}; '
                              f'that is not the {stem!r} layout')
    return stem
