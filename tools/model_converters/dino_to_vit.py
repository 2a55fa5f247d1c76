"""Convert the weights of a vision transformer that DINO trained, ViT-S/16 or ViT-B/16 for instance.

    python tools/model_converters/dino_to_vit.py SRC DST [--network teacher|student] [--allow-pickle]

SRC holds the backbone alone (``dino_deitsmall16_pretrain.pth``, ``dino_vitbase16_pretrain.pth``) or a whole run with
``teacher`` and ``student``, whose projection heads are dropped. DST is a state dict of mmpretrain's
``VisionTransformer``; it fits a backbone with the same ``arch``, ``patch_size`` and ``img_size``:

    backbone=dict(type='VisionTransformer', arch='deit-small', init_cfg=dict(type='Pretrained', checkpoint=DST))

The number of attention heads leaves no trace in the weights; DINO's have 64 channels each, as in the arches that the
converter names. The file of a whole run holds its command line too, which asks for ``--allow-pickle``.
"""
from __future__ import annotations

import math

from released import bare_state, main
from resnet_names import ConversionError, State, check_names
from vit_names import block_names, count_blocks, parameter_names

OPTIONS = (
    ('--network', dict(choices=('teacher', 'student'), help='which one of a whole run; the teacher by default')),)
OUTER_NAMES = {'patch_embed.proj': 'patch_embed.projection', 'norm': 'ln1'}
TOKENS = ('cls_token', 'pos_embed')
ARCHES = {(192, 12): 'deit-tiny', (384, 12): 'deit-small', (768, 12): 'deit-base'}
HEAD_CHANNELS = 64


def new_names(blocks: int) -> dict[str, str]:
    """Name in DINO -> name in mmpretrain, of all parameters of a transformer with so many blocks."""
    modules = {**OUTER_NAMES, **block_names('blocks', 'layers', blocks)}
    return {**{token: token for token in TOKENS}, **parameter_names(modules)}


def backbone_of(checkpoint: dict, network: str) -> tuple[State, str]:
    """The transformer's parameters without prefix, and the key that they were found under.

    Args:
        checkpoint: What the file holds.
        network: Which one of a whole run.
    """
    state, container = bare_state(checkpoint, (network, 'state_dict'))
    if any(name.startswith('backbone.') for name in state):
        state = {name: value for name, value in state.items() if not name.startswith('head.')}
        state = {name.removeprefix('backbone.'): value for name, value in state.items()}
    return state, container


def describe(state: State, blocks: int) -> dict:
    """What a config has to say, after a look at the shapes.

    Args:
        state: Parameters under DINO's names, complete.
        blocks: Number of blocks.

    Raises:
        ConversionError: If they do not fit each other.
    """
    kernel, width = state['patch_embed.proj.weight'], state['cls_token'].shape[-1]
    side = math.isqrt(max(state['pos_embed'].shape[-2] - 1, 0)) if state['pos_embed'].dim() == 3 else 0
    expected = {'patch_embed.proj.weight': (width, 3, *kernel.shape[-1:] * 2), 'cls_token': (1, 1, width),
                'pos_embed': (1, side * side + 1, width), 'norm.weight': (width,),
                **{f'blocks.{i}.attn.qkv.weight': (3 * width, width) for i in range(blocks)}}
    odd = [f'{name} {tuple(state[name].shape)} instead of {shape}' for name, shape in expected.items()
           if tuple(state[name].shape) != shape]
    if odd:
        raise ConversionError('the shapes are not those of a vision transformer for square images: ' + ', '.join(odd))
    arch = ARCHES.get((width, blocks), dict(
        embed_dims=width, num_layers=blocks, num_heads=max(width // HEAD_CHANNELS, 1),
        feedforward_channels=len(state['blocks.0.mlp.fc1.weight'])))
    return dict(arch=arch, patch_size=kernel.shape[-1], img_size=side * kernel.shape[-1])


def convert(checkpoint: dict, network: str = 'teacher') -> dict:
    """Convert a DINO checkpoint.

    Args:
        checkpoint: What the file holds.
        network: ``'teacher'``, which DINO evaluates, or ``'student'``; only a whole run has both.

    Returns:
        ``dict(state_dict=..., meta=...)`` for a ``VisionTransformer``.

    Raises:
        ConversionError: If parameters are missing, unknown or of an odd shape.
    """
    state, container = backbone_of(checkpoint, network)
    blocks = count_blocks(state, 'blocks')
    names = new_names(blocks)
    check_names(state, names, 'the transformer')
    info = describe(state, blocks)
    return dict(state_dict={names[name]: value for name, value in state.items()},
                meta=dict(converted_from='DINO', container=container, **info))


if __name__ == '__main__':
    main(convert, __doc__, options=OPTIONS, with_stem=False)
