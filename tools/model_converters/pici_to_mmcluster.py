"""Convert a released PICI checkpoint.

    python tools/model_converters/pici_to_mmcluster.py SRC DST [--allow-pickle]

SRC is a ``checkpoint_<epoch>.pth`` with the key ``net``, or the bare state dict. DST fits ``PICI``: give the ``base``
of a booster ``init_cfg=dict(type='Pretrained', checkpoint=DST)``, or the model itself the same with ``strict=False``,
for its pseudo-labels are not in the file. The position tables of the release, column first, are those of ``MaskedViT``
and ``MaskedDecoder``. Heads of attention leave no trace in the weights: the release has 12, its decoder 16. The state
of the optimiser is not converted.
"""
from __future__ import annotations

import math

from released import MLP_NAMES, bare_state, main
from resnet_names import ConversionError, State, check_names
from vit_names import block_names, count_blocks, parameter_names

ENCODER = {'mae.patch_embed.proj': 'backbone.patch_embed.projection', 'mae.norm': 'backbone.ln1'}
DECODER = {'mae.decoder_embed': 'decoder.decoder_embed', 'mae.decoder_norm': 'decoder.ln1',
           'mae.decoder_pred': 'decoder.decoder_pred'}
TOKENS = {'mae.cls_token': 'backbone.cls_token', 'mae.pos_embed': 'backbone.pos_embed',
          'mae.mask_token': 'decoder.mask_token', 'mae.decoder_pos_embed': 'decoder.decoder_pos_embed'}
PROJECTORS = {'instance_projector': 'projector', 'cluster_projector': 'head'}


def new_names(blocks: int, decoder_blocks: int) -> dict[str, str]:
    """Name in the release -> name in mmcluster, of all parameters of a network with so many blocks."""
    mlp = MLP_NAMES['plain_mlp']
    modules = {**ENCODER, **DECODER, **block_names('mae.blocks', 'backbone.layers', blocks),
               **block_names('mae.decoder_blocks', 'decoder.decoder_blocks', decoder_blocks),
               **{f'{old}.{number}': f'{new}.{name}' for old, new in PROJECTORS.items()
                  for number, name in mlp.items()}}
    return {**TOKENS, **parameter_names(modules)}


def describe(state: State) -> dict:
    """What a config has to say, after a look at the shapes.

    Args:
        state: Parameters under mmcluster's names, complete.

    Raises:
        ConversionError: If they do not fit each other.
    """
    kernel, table = state['backbone.patch_embed.projection.weight'], state['backbone.pos_embed']
    width, channels, patch = (*kernel.shape[:2], kernel.shape[-1]) if kernel.dim() == 4 else (0, 0, 0)
    side = math.isqrt(max(table.shape[-2] - 1, 0)) if table.dim() == 3 else 0
    inner = state['decoder.mask_token'].shape[-1]
    expected = {'backbone.patch_embed.projection.weight': (width, channels, patch, patch),
                'backbone.cls_token': (1, 1, width), 'backbone.pos_embed': (1, side * side + 1, width),
                'decoder.decoder_embed.weight': (inner, width), 'decoder.mask_token': (1, 1, inner),
                'decoder.decoder_pos_embed': (1, side * side + 1, inner),
                'decoder.decoder_pred.weight': (patch * patch * channels, inner),
                **{f'{part}.fc1.weight': (len(state[f'{part}.fc1.bias']), width) for part in PROJECTORS.values()}}
    odd = [f'{name} {tuple(state[name].shape)} instead of {shape}' for name, shape in expected.items()
           if tuple(state[name].shape) != shape]
    if odd:
        raise ConversionError('the shapes are not those of one masked transformer: ' + ', '.join(odd))
    return dict(embed_dims=width, num_layers=count_blocks(state, 'backbone.layers'), patch_size=patch,
                img_size=side * patch, in_channels=channels, decoder_embed_dim=inner,
                decoder_depth=count_blocks(state, 'decoder.decoder_blocks'),
                num_clusters=len(state['head.fc2.bias']))


def convert(checkpoint: dict) -> dict:
    """Convert a PICI checkpoint.

    Args:
        checkpoint: What the file holds.

    Returns:
        ``dict(state_dict=..., meta=...)`` for ``PICI``, without the bank.

    Raises:
        ConversionError: If parameters are missing, unknown or of an odd shape.
    """
    state, container = bare_state(checkpoint, ('net', 'model', 'state_dict'))
    names = new_names(count_blocks(state, 'mae.blocks'), count_blocks(state, 'mae.decoder_blocks'))
    check_names(state, names, 'the file')
    state = {names[name]: value for name, value in state.items()}
    progress = dict(epoch=int(checkpoint['epoch'])) if container and 'epoch' in checkpoint else {}
    return dict(state_dict=state, meta=dict(converted_from='PICI', container=container, **progress, **describe(state)))


if __name__ == '__main__':
    main(convert, __doc__, with_stem=False)
