"""Convert a released CC checkpoint.

    python tools/model_converters/cc_to_mmcluster.py SRC DST [--allow-pickle]

SRC is a ``checkpoint_<epoch>.tar`` with the key ``net``, or the bare state dict. DST fits ``CC``, strictly: load it
into the model by ``init_cfg=dict(type='Pretrained', checkpoint=DST)``, or give a booster's ``base`` the same. The state
of the optimiser is not converted.
"""
from __future__ import annotations

from released import Layout, Part, bare_state, convert_state, main

LAYOUT = Layout((
    Part('resnet', 'backbone', 'backbone'),
    Part('instance_projector', 'projector', 'plain_mlp'),
    Part('cluster_projector', 'head', 'plain_mlp'),
))


def convert(checkpoint: dict, stem: str = 'auto') -> dict:
    """Convert a CC checkpoint.

    Args:
        checkpoint: What the file holds.
        stem: ``'auto'``; the released networks are all ``'plain'``.

    Returns:
        ``dict(state_dict=..., meta=...)`` for ``CC``.
    """
    state, container = bare_state(checkpoint, ('net', 'model', 'state_dict'))
    state, info = convert_state(state, LAYOUT, stem)
    progress = dict(epoch=checkpoint['epoch']) if container and 'epoch' in checkpoint else {}
    return dict(state_dict=state, meta=dict(converted_from='CC', container=container, **progress, **info,
                                            num_clusters=len(state['head.fc2.bias'])))


if __name__ == '__main__':
    main(convert, __doc__)
