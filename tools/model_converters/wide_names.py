"""Names of the parameters of wide ResNets in released checkpoints."""
from __future__ import annotations

import re

from resnet_names import ConversionError, State, check_names, norm_names

BLOCK = re.compile(r'block(\d)\.layer\.(\d+)\.')
STEM_WIDTH = 16


def is_wide(state: State) -> bool:
    """Whether parameters without prefix are those of a wide ResNet."""
    return any(BLOCK.match(name) for name in state)


def convert_wide(state: State, where: str) -> tuple[State, dict]:
    """Rename a wide ResNet without classifier to the names of ``WideResNet``.

    Args:
        state: Parameters without prefix.
        where: For messages.

    Returns:
        The renamed state, and ``dict(depth=..., widen_factor=...)``.

    Raises:
        ConversionError: If it is none.
    """
    found = {tuple(map(int, match.groups())) for match in map(BLOCK.match, state) if match}
    groups, blocks = (max(column) for column in zip(*found)) if found else (0, 0)
    blocks += 1
    depth = 6 * blocks + 4 if groups == 3 else 37 if (groups, blocks) == (4, 4) else None
    if depth is None:
        raise ConversionError(f'{where}: {groups} groups of {blocks} blocks are no WRN-(6n + 4) and no WRN-37')
    check_names(state, names(groups, blocks) | shortcuts(state, groups), where)
    renamed = {name.replace('.layer.', '.').replace('.convShortcut.', '.shortcut.'): value
               for name, value in state.items()}
    return renamed, dict(depth=depth, widen_factor=len(state['block1.layer.0.conv2.weight']) // STEM_WIDTH)


def names(groups: int, blocks: int) -> set[str]:
    """Names in a release, without residual branches, which lie where the width changes.

    Args:
        groups: Number of groups.
        blocks: Blocks a group.
    """
    found = {'conv1.weight', *norm_names('bn1')}
    for at in (f'block{i}.layer.{j}' for i in range(1, groups + 1) for j in range(blocks)):
        for k in (1, 2):
            found |= {f'{at}.conv{k}.weight', *norm_names(f'{at}.bn{k}')}
    return found


def shortcuts(state: State, groups: int) -> set[str]:
    """Names of the residual branches, which lie where the first convolution of a group changes the width."""
    first = {i: state.get(f'block{i}.layer.0.conv1.weight') for i in range(1, groups + 1)}
    return {f'block{i}.layer.0.convShortcut.weight' for i, weight in first.items()
            if weight is not None and weight.shape[0] != weight.shape[1]}
