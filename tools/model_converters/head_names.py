"""Names in the checkpoints of methods with several cluster heads: heads, the kept one, and stems."""
from __future__ import annotations

import re
from typing import Any, Optional, Sequence

import torch
from resnet_names import ConversionError, State, check_names

BEST_OPTIONS = (
    ('--head', dict(type=int, help='number of the head to deploy, where the file does not say')),
    ('--best-so-far', dict(choices=('head', 'network'),
                      help='what the model keeps of its best network: its head, where what lies below rests '
                           '(freeze=True), or the whole network, where it trains')))


def numbered_heads(state: State, pattern: str, names: dict[str, str]) -> list[State]:
    """Move numbered heads out of a state dict.

    Args:
        state: Parameters; changed in place.
        pattern: Regular expression of a whole name, with the groups ``head`` (its number) and ``name``.
        names: Name in the release -> name in mmcluster; every head has exactly these.

    Returns:
        The heads in the order of their numbers.

    Raises:
        ConversionError: If a head lacks a parameter or a number is left out.
    """
    found: dict[int, State] = {}
    for name in list(state):
        match = re.fullmatch(pattern, name)
        if match:
            found.setdefault(int(match['head']), {})[match['name']] = state.pop(name)
    if sorted(found) != list(range(len(found))) or not found:
        raise ConversionError(f'the heads are not numbered from 0 without a gap: {sorted(found)}')
    for number, head in found.items():
        check_names(head, names, f'head {number}')
    return [{names[name]: found[number][name] for name in names} for number in range(len(found))]


def deployed_head(number: Any, count: int) -> int:
    """Check the number of the head to deploy.

    Args:
        number: From the command line or the file; ``None`` if neither says.
        count: H.

    Raises:
        ConversionError: If it is unknown or there is no such head.
    """
    if number is None and count > 1:
        raise ConversionError(f'the file has {count} heads and does not say which one was kept; name it by --head')
    number = 0 if number is None else int(number)
    if not 0 <= number < count:
        raise ConversionError(f'there is no head {number}; the file has {count}, counted from 0')
    return number


def multi_head_state(backbone: State, heads: Sequence[State], kept: int, whole: bool) -> State:
    """Names of a ``MultiHeadClusterer`` without its bank.

    Args:
        backbone: Parameters as ``backbone.*``.
        heads: Parameters of each head.
        kept: Number of the head to deploy. Its loss is unknown, so that a run that goes on keeps the first network
            that it finds.
        whole: ``best_so_far`` holds the backbone too.
    """
    state = dict(backbone)
    for number, head in enumerate(heads):
        state.update({f'head.heads.{number}.{name}': value for name, value in head.items()})
    if whole:
        state.update({f'best_so_far.{name}': value for name, value in backbone.items()})
    state.update({f'best_so_far.head.{name}': value for name, value in heads[kept].items()})
    return {**state, 'best_so_far.loss': torch.tensor(float('inf')), 'best_so_far.head_index': torch.tensor(kept)}


def stem_of(state: State, stem: str, downsample: Optional[str] = None) -> str:
    """Stem of a ResNet whose names may leave open whether a max pool follows a 3x3 stem.

    Args:
        state: Its parameters without prefix.
        stem: What was asked for; ``'auto'`` tells it from the file.
        downsample: Stem of a 3x3 network whose residual branches are called ``downsample``.

    Returns:
        See ``resnet_names.convert_backbone``.

    Raises:
        ConversionError: If the file does not tell.
    """
    weight = state.get('conv1.weight')
    if stem != 'auto' or weight is None or weight.shape[-1] != 3:
        return stem
    if downsample and any('.downsample.' in name for name in state):
        return downsample
    raise ConversionError('the names fit a network for 32 pixels and one for 96 pixels, which has a max pool after its '
                          'stem; say --stem cifar or --stem gcc')
