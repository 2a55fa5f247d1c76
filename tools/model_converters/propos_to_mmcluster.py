"""Convert a released ProPos (or BYOL of the same code) checkpoint.

    python tools/model_converters/propos_to_mmcluster.py SRC DST [--stem cifar|plain|gcc] [--allow-pickle]

SRC is a bare state dict (``save_models/byol-<epoch>``) or a ``checkpoint-<epoch>.tar`` with the key ``byol``. DST
fits ``ProPos`` and ``BYOL``: give the ``base`` of a booster ``init_cfg=dict(type='Pretrained', checkpoint=DST)``, or
the model itself the same with ``strict=False``, for the bank of labels is not in the file. A memory queue is dropped:
its entries belong to a run that goes on.
"""
from __future__ import annotations

import torch
from released import Layout, Part, bare_state, convert_state, main, take
from resnet_names import ConversionError, State, listed

LAYOUT = Layout(
    parts=(
        Part('encoder_q', 'backbone', 'backbone'),
        Part('projector_q', 'neck', 'mlp'),
        Part('predictor', 'predictor', 'mlp'),
        Part('encoder_k', 'teacher.backbone', 'backbone'),
        Part('projector_k', 'teacher.neck', 'mlp'),
    ),
    dropped=('queue',))
ALIASES = {'encoder.0': 'encoder_k', 'encoder.1': 'projector_k'}


def drop_aliases(state: State) -> int:
    """Remove the second names of the momentum network, after checking that they hold the same values.

    Args:
        state: The release's parameters; changed in place.

    Returns:
        Number of entries removed.
    """
    count = 0
    for alias, name in ALIASES.items():
        copies = take(state, alias)
        differing = [f'{alias}.{key}' for key, value in copies.items()
                     if f'{name}.{key}' not in state or not torch.equal(state[f'{name}.{key}'], value)]
        if differing:
            raise ConversionError(f'these should equal their namesakes under {name}: {listed(differing)}')
        count += len(copies)
    return count


def convert(checkpoint: dict, stem: str = 'auto') -> dict:
    """Convert a ProPos checkpoint.

    Args:
        checkpoint: What the file holds.
        stem: ``'auto'``, ``'cifar'``, ``'plain'`` or ``'gcc'``.

    Returns:
        ``dict(state_dict=..., meta=...)`` for ``ProPos`` and ``BYOL``, without the bank.
    """
    if isinstance(checkpoint, dict) and 'ema_model' in checkpoint:
        raise ConversionError('this is a ClusMatch checkpoint; use clusmatch_to_mmcluster.py')
    state, container = bare_state(checkpoint, ('byol', 'model', 'state_dict'))
    aliases = drop_aliases(state)
    state, info = convert_state(state, LAYOUT, stem)
    return dict(state_dict=state, meta=dict(converted_from='ProPos', container=container, aliases=aliases, **info))


if __name__ == '__main__':
    main(convert, __doc__)
