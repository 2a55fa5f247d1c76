"""Convert a released GCC checkpoint.

    python tools/model_converters/gcc_to_mmcluster.py SRC DST --stem cifar|gcc [--head N] [--allow-pickle]

SRC is ``end2end/checkpoint.pth.tar`` with the key ``model``, or the bare state dict of ``model.pth.tar``. DST fits
``GCC`` without its bank: load it as a stage of a recipe or a booster's ``base``, which leave per-image state out, or
into the model itself with ``strict=False``. The cluster head is kept, since ClusMatch selects by it. A self-labelled
network, which has no ``contrastive_head``, fits a ``Boost`` without a teacher.

Names do not tell whether a max pool follows the stem: CIFAR files need ``--stem cifar``, the others ``--stem gcc``. The
state of the optimiser and the memory of features, which the files do not hold, are not converted.
"""
from __future__ import annotations

from typing import Optional

from head_names import deployed_head, numbered_heads, stem_of
from released import Layout, Part, bare_state, convert_state, main
from resnet_names import ConversionError

BACKBONE = Part('backbone', 'backbone', 'backbone')
PROJECTOR = Part('contrastive_head', 'projector', 'plain_mlp')
HEAD = r'cluster_head\.(?P<head>\d+)\.(?P<name>weight|bias)'
HEAD_NAMES = {name: f'fc.{name}' for name in ('weight', 'bias')}
OPTIONS = [('--head', dict(type=int, help='number of the head to keep, where the file has several'))]


def convert(checkpoint: dict, stem: str = 'auto', head: Optional[int] = None) -> dict:
    """Convert a GCC checkpoint.

    Args:
        checkpoint: What the file holds.
        stem: ``'cifar'`` or ``'gcc'``; ``'auto'`` says that the names leave it open.
        head: Number of the head to keep; ``None`` if there is one.

    Returns:
        ``dict(state_dict=..., meta=...)``.
    """
    state, container = bare_state(checkpoint, ('model', 'state_dict'))
    kinds = {name.split('.')[0] for name in state}
    if not {'backbone', 'cluster_head'} <= kinds <= {'backbone', 'cluster_head', 'contrastive_head'}:
        raise ConversionError(f'expected backbone, cluster_head and contrastive_head, got {sorted(kinds)}')
    stem = stem_of({name[len('backbone.'):]: value for name, value in state.items()
                    if name.startswith('backbone.')}, stem)
    heads = numbered_heads(state, HEAD, HEAD_NAMES)
    kept = deployed_head(head, len(heads))
    whole = 'contrastive_head' in kinds
    state, info = convert_state(state, Layout((BACKBONE, PROJECTOR) if whole else (BACKBONE,)), stem)
    state.update({f'head.{name}': value for name, value in heads[kept].items()})
    progress = dict(epoch=checkpoint['epoch']) if container and 'epoch' in checkpoint else {}
    return dict(state_dict=state, meta=dict(
        converted_from='GCC', container=container, stage='graph' if whole else 'self-labelling', **progress, **info,
        heads=len(heads), kept_head=kept, num_clusters=len(state['head.fc.bias'])))


if __name__ == '__main__':
    main(convert, __doc__, options=OPTIONS)
