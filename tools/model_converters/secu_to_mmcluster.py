"""Convert a released SeCu checkpoint with all its heads.

    python tools/model_converters/secu_to_mmcluster.py SRC DST [--stem cifar|plain|gcc] [--allow-pickle]

SRC is a ``.pth.tar`` with the key ``state_dict``, of CIFAR, STL-10 or ImageNet, by either constraint. DST is a state
dict of ``SeCu`` without its bank: load it strictly as a booster's ``base`` or a hook's ``source``, or into the model
itself with ``strict=False``. CIFAR files need ``--stem cifar``, STL-10 ones ``--stem gcc``.

The clusters of the images (``assign_labels_*``) are not converted: they are in the order of the authors' folder. A run
that goes on labels every image anew when it first meets it; duals are taken over, and counts of clusters begin at zero
with the labels. ``clusmatch_to_mmcluster.py`` makes backbone and projector alone of the same file.
"""
from __future__ import annotations

import torch
from head_names import stem_of
from released import Layout, Part, bare_state, convert_state, main
from resnet_names import ConversionError, State, check_names, listed
from torch.nn.functional import normalize

KINDS = ('center', 'assign_labels', 'counter', 'ldual')


def take_heads(state: State) -> dict[str, list]:
    """Move what the release keeps of its heads out of a state dict.

    Args:
        state: Parameters; changed in place.

    Returns:
        kind -> tensors of all heads in their order; the duals are missing with the entropy constraint.

    Raises:
        ConversionError: If a head lacks something, or its sizes differ.
    """
    count = sum(name.startswith('center_') for name in state)
    found = {name for name in state if name.rpartition('_')[0] in KINDS}
    kinds = KINDS if any(name.startswith('ldual_') for name in found) else KINDS[:-1]
    if not count:
        raise ConversionError('missing: center_0')
    check_names(found, [f'{kind}_{h}' for kind in kinds for h in range(count)], 'the set of heads')
    heads = {kind: [state.pop(f'{kind}_{h}') for h in range(count)] for kind in kinds}
    for h, center in enumerate(heads['center']):
        sizes = [tuple(heads[kind][h].shape) for kind in kinds[2:]]
        if center.dim() != 2 or any(size != (center.shape[1],) for size in sizes):
            raise ConversionError(f'head {h} should have a matrix of centres (D, K) and K numbers of each kind, got '
                                  f'{listed(map(str, [tuple(center.shape), *sizes]))}')
    return heads


def convert(checkpoint: dict, stem: str = 'auto') -> dict:
    """Convert a SeCu checkpoint.

    Args:
        checkpoint: What the file holds.
        stem: ``'auto'``, ``'cifar'``, ``'plain'`` or ``'gcc'``.

    Returns:
        ``dict(state_dict=..., meta=...)`` for ``SeCu`` without its bank.
    """
    state, container = bare_state(checkpoint, ('state_dict', 'model'))
    heads = take_heads(state)
    long = any(name.startswith('predictor.') for name in state)
    parts = [Part('encoder.fc', 'neck', 'long_mlp' if long else 'mlp'), Part('encoder', 'backbone', 'backbone')]
    if long:
        parts.append(Part('predictor', 'predictor', 'mlp'))
    network = {name[len('encoder.'):]: value for name, value in state.items()
               if name.startswith('encoder.') and not name.startswith('encoder.fc.')}
    result, info = convert_state(state, Layout(tuple(parts)), stem_of(network, stem))
    centers = [center.t().contiguous() for center in heads['center']]
    result.update({f'heads.{h}.weight': center for h, center in enumerate(centers)})
    result['previous'] = torch.cat([normalize(center, dim=1) for center in centers])
    if 'ldual' in heads:
        result['dual'] = torch.cat(heads['ldual'])
    else:
        result['counts'] = torch.cat([torch.zeros_like(counter) for counter in heads['counter']])
    progress = dict(epoch=int(checkpoint['epoch'])) if container and 'epoch' in checkpoint else {}
    return dict(state_dict=result, meta=dict(
        converted_from='SeCu', container=container, **progress, **info, heads=[len(center) for center in centers],
        constraint='size' if 'ldual' in heads else 'entropy', images=len(heads['assign_labels'][0])))


if __name__ == '__main__':
    main(convert, __doc__)
