"""Names of the parameters of vision transformers in released checkpoints, which follow timm, and in mmpretrain."""
from __future__ import annotations

import re
from typing import Iterable

BLOCK_NAMES = {'norm1': 'ln1', 'attn.qkv': 'attn.qkv', 'attn.proj': 'attn.proj', 'norm2': 'ln2',
               'mlp.fc1': 'ffn.layers.0.0', 'mlp.fc2': 'ffn.layers.1'}


def count_blocks(names: Iterable[str], prefix: str) -> int:
    """Blocks that are numbered under a prefix, at least one; gaps count as what is missing."""
    pattern = re.compile(rf'{re.escape(prefix)}\.(\d+)\.')
    return max((int(match[1]) + 1 for match in map(pattern.match, names) if match), default=1)


def block_names(old: str, new: str, blocks: int) -> dict[str, str]:
    """Name of timm -> name of mmpretrain, of the modules of a stack of blocks.

    Args:
        old: Prefix of the stack in timm.
        new: Prefix in mmpretrain.
        blocks: Number of blocks.
    """
    return {f'{old}.{i}.{name}': f'{new}.{i}.{BLOCK_NAMES[name]}' for i in range(blocks) for name in BLOCK_NAMES}


def parameter_names(modules: dict[str, str]) -> dict[str, str]:
    """The same for their weights and biases."""
    return {f'{old}.{kind}': f'{new}.{kind}' for old, new in modules.items() for kind in ('weight', 'bias')}
