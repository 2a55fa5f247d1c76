"""What the converters of released checkpoints share: unwrapping, renaming, checking, writing.

A release is described by a :class:`Layout`: which prefix becomes which part of an mmcluster model, and what is left
out. Every key must be accounted for, so a file of another layout is refused with the names that do not fit.
"""
from __future__ import annotations

import argparse
import os
import pickle
from typing import Callable, NamedTuple, Optional, Sequence

import torch
from resnet_names import BATCH_NORM, ConversionError, State, check_names, convert_backbone, listed
from torch import Tensor

from mmcluster.command_line import output_file
from mmcluster.compat import load_checkpoint_file
from mmcluster.writing import whole_file

MLP_NAMES = {
    'mlp': {'0': 'fc1', '1': 'bn', '3': 'fc2'}, 'plain_mlp': {'0': 'fc1', '2': 'fc2'},
    'long_mlp': {'0': 'fc1', '1': 'bn', '3': 'hidden.0.0', '4': 'hidden.0.1', '6': 'fc2', '7': 'last_bn'}}
MLP_NORMS = ('bn', 'hidden.0.1', 'last_bn')
WRAPPERS = ('module.', 'model.')


class Part(NamedTuple):
    """One module of a release.

    Attributes:
        source: Prefix in the release.
        target: Prefix in mmcluster.
        kind: ``'backbone'``, ``'mlp'`` (numbered Linear, BatchNorm1d, ReLU, Linear), ``'plain_mlp'`` (numbered
            Linear, ReLU, Linear), ``'long_mlp'`` (twice Linear, BatchNorm1d, ReLU, then Linear, BatchNorm1d) or
            ``'linear'``.
    """
    source: str
    target: str
    kind: str


class Layout(NamedTuple):
    """A release's state dict.

    Attributes:
        parts: Modules that are taken over, longer prefixes before the shorter ones that they extend.
        dropped: Prefixes of what mmcluster has no use for.
    """
    parts: tuple[Part, ...]
    dropped: tuple[str, ...] = ()


def bare_state(checkpoint: dict, containers: tuple[str, ...]) -> tuple[State, str]:
    """Find the state dict in a checkpoint and strip ``module.`` and ``model.`` where all names start so.

    Args:
        checkpoint: A state dict, or a dict that holds one under one of ``containers``.
        containers: Keys to look under.

    Returns:
        name -> tensor, and the key it was found under (``''`` for a bare state dict).
    """
    if not isinstance(checkpoint, dict):
        raise ConversionError(f'expected a dict, the file holds a {type(checkpoint).__name__}')
    found = ''
    if not all(isinstance(value, Tensor) for value in checkpoint.values()):
        found = next((name for name in containers if isinstance(checkpoint.get(name), dict)), '')
        if not found:
            raise ConversionError(f'no state dict under any of {listed(containers)}; the file has the keys '
                                  f'{listed(map(str, checkpoint))}')
        checkpoint = checkpoint[found]
    foreign = [str(name) for name, value in checkpoint.items() if not isinstance(value, Tensor)]
    if foreign or not checkpoint:
        raise ConversionError(f'not a state dict under {found!r}: {listed(foreign) or "empty"}')
    return unwrapped(dict(checkpoint)), found


def unwrapped(state: State) -> State:
    """Strip prefixes of wrappers that all names have."""
    for wrapper in WRAPPERS * 2:
        if all(name.startswith(wrapper) for name in state):
            state = {name[len(wrapper):]: value for name, value in state.items()}
    return state


def take(state: State, prefix: str) -> State:
    """Move the entries under ``prefix`` out of ``state`` and strip the prefix."""
    names = [name for name in state if name.startswith(f'{prefix}.')]
    return {name[len(prefix) + 1:]: state.pop(name) for name in names}


def convert_part(state: State, part: Part, stem: str) -> tuple[State, dict]:
    """Rename one module.

    Args:
        state: Its parameters without prefix.
        part: What it is.
        stem: For a backbone, see :func:`convert_backbone`.

    Returns:
        The state under the mmcluster prefix, and what was learnt about a backbone.
    """
    if not state:
        raise ConversionError(f'missing: {part.source}.*')
    info = {}
    if part.kind == 'backbone':
        state, info = convert_backbone(state, stem, part.source)
    elif part.kind in MLP_NAMES:
        layers = MLP_NAMES[part.kind]
        check_names(state, [f'{number}.{entry}' for number, name in layers.items()
                            for entry in (BATCH_NORM if name in MLP_NORMS else ('weight', 'bias'))], part.source)
        state = {f'{layers[name[0]]}{name[1:]}': value for name, value in state.items()}
    else:
        check_names(state, ['weight', 'bias'], part.source)
        state = {f'fc.{name}': value for name, value in state.items()}
    return {f'{part.target}.{name}': value for name, value in state.items()}, info


def convert_state(state: State, layout: Layout, stem: str = 'auto') -> tuple[State, dict]:
    """Rename a whole state dict.

    Args:
        state: A release's parameters.
        layout: What they should be.
        stem: See :func:`convert_backbone`.

    Returns:
        The renamed state, and ``dict(stem=..., depth=..., dropped=[...])``.
    """
    state, result, info = dict(state), {}, {}
    for part in layout.parts:
        renamed, found = convert_part(take(state, part.source), part, stem)
        if found and info and found != info:
            raise ConversionError(f'the backbones of one file differ: {info} and {found} in {part.source}')
        result.update(renamed)
        info.update(found)
    dropped = [name for name in state if name.startswith(layout.dropped)]
    check_names(set(state) - set(dropped), (), 'the file')
    return result, dict(info, dropped=sorted(dropped))


def main(convert: Callable[..., dict], description: str, argv: Optional[list[str]] = None,
         options: Sequence[tuple[str, dict]] = (), with_stem: bool = True) -> None:
    """Command line of a converter.

    Args:
        convert: ``(checkpoint, stem, **options) -> dict(state_dict=..., meta=...)``.
        description: For ``--help``.
        argv: Arguments; ``None`` reads the command line.
        options: Flag and ``add_argument``'s keywords of each further option; it reaches ``convert`` if it is given.
        with_stem: ``False`` for networks that are no ResNets: neither command line nor ``convert`` has a stem.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('src', help='released checkpoint')
    parser.add_argument('dst', type=output_file, help='file to write')
    if with_stem:
        parser.add_argument('--stem', choices=('auto', 'cifar', 'plain', 'gcc'), default='auto',
                            help='stem of the backbone; auto tells it from the file')
    parser.add_argument('--allow-pickle', action='store_true',
                        help='read a file that holds more than tensors; it may run code, so trust its author')
    for flag, keywords in options:
        parser.add_argument(flag, default=argparse.SUPPRESS, **keywords)
    args = parser.parse_args(argv)
    given = {name: value for name, value in vars(args).items() if f"--{name.replace('_', '-')}" in dict(options)}
    try:
        stem = [args.stem] if with_stem else []
        result = convert(load_checkpoint_file(args.src, allow_pickle=args.allow_pickle), *stem, **given)
    except ConversionError as error:
        raise SystemExit(f'{args.src}: {error}') from error
    except (FileNotFoundError, RuntimeError, pickle.UnpicklingError) as error:
        raise SystemExit(str(error)) from error
    result['meta']['source'] = os.path.basename(args.src)
    with whole_file(args.dst) as file:
        torch.save(result, file)
    print(f'{args.dst}: {len(result["state_dict"])} tensors')
    for name, value in result['meta'].items():
        print(f'  {name}: {value}')
