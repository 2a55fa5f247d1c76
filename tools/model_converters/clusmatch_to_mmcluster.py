"""Convert a released ClusMatch checkpoint, or the GCC or SeCu checkpoint that it starts from.

    python tools/model_converters/clusmatch_to_mmcluster.py SRC DST [--stem cifar|plain|gcc] [--allow-pickle]

``latest_model.pth`` and ``model_best.pth`` (keys ``model``, ``ema_model``, thresholds) become a state dict of
``Boost`` with ``ClusMatchLoss``: backbone, neck, head, teacher and thresholds. GCC (key ``model``) and SeCu (key
``state_dict``) files become ``backbone.*`` and ``neck.*``; their heads are dropped, for ClusMatch trains a fresh one.
Load those with ``init_cfg=dict(type='Pretrained', checkpoint=DST, prefix='backbone.')`` of the part. GCC's CIFAR
network has the names of its 96 pixel one: say ``--stem cifar``. A ProPos file has a converter of its own.
"""
from __future__ import annotations

import torch
from released import Layout, Part, bare_state, convert_state, main
from resnet_names import ConversionError, State, check_names
from torch import Tensor

BRANCHES = {
    'propos': Layout(parts=(Part('encoder_k', 'backbone', 'backbone'), Part('projector_k', 'neck', 'mlp'),
                            Part('cluster_head', 'head', 'linear'))),
    'gcc': Layout(parts=(Part('backbone', 'backbone', 'backbone'), Part('cluster_head_new', 'head', 'linear')),
                  dropped=('cluster_head.', 'contrastive_head.')),
    'secu': Layout(parts=(Part('encoder.fc', 'neck', 'mlp'), Part('encoder', 'backbone', 'backbone'),
                          Part('cluster_head_new', 'head', 'linear')),
                   dropped=('predictor.', 'center_')),
}
MARKS = {'propos': 'encoder_k.', 'gcc': 'backbone.', 'secu': 'encoder.'}
BUFFERS = {'all_tau': 'negative_thresholds', 'p_model': 'p_model', 'label_hist': 'label_hist'}
NAMES = {'gcc': 'GCC', 'secu': 'SeCu'}
PROGRESS = ('it', 'epoch', 'best_it', 'best_eval_acc')


def branch_of(state: State) -> str:
    """Tell which pre-trained network a state dict belongs to: ``'propos'``, ``'gcc'`` or ``'secu'``."""
    if any(name.startswith('encoder_q.') for name in state):
        raise ConversionError('this is a ProPos checkpoint; use propos_to_mmcluster.py')
    for branch, mark in MARKS.items():
        if any(name.startswith(mark) for name in state):
            return branch
    raise ConversionError(f'none of the parameters starts with any of {sorted(MARKS.values())}')


def thresholds(checkpoint: dict, num_clusters: int) -> State:
    """Take over the thresholds and label statistics.

    ``tau``, the release's global threshold, always equals the row sums of ``all_tau`` (eqs. 9-12 move both alike), and
    ``ClusMatchLoss`` keeps only the latter; a file in which they differ is refused.

    Args:
        checkpoint: What the file holds.
        num_clusters: K.

    Returns:
        ``pseudo_label_loss.*``: negative_thresholds (K, K), p_model (K,), label_hist (K,).
    """
    shapes = dict.fromkeys((*BUFFERS, 'tau'), (num_clusters,)) | {'all_tau': (num_clusters, num_clusters)}
    check_names(set(shapes) & set(checkpoint), shapes, 'the set of thresholds')
    for name, shape in shapes.items():
        if not isinstance(checkpoint[name], Tensor) or tuple(checkpoint[name].shape) != shape:
            raise ConversionError(f'{name} should be a tensor of shape {shape}')
    if not torch.allclose(checkpoint['all_tau'].sum(1), checkpoint['tau'], atol=1e-3):
        raise ConversionError('tau should equal the row sums of all_tau')
    return {f'pseudo_label_loss.{target}': checkpoint[name] for name, target in BUFFERS.items()}


def convert_trained(checkpoint: dict, stem: str) -> dict:
    """Convert ClusMatch's own output; see :func:`convert`."""
    result: State = {}
    for key, prefix in (('model', ''), ('ema_model', 'teacher.')):
        state, _ = bare_state({key: checkpoint.get(key)}, (key,))
        branch = branch_of(state)
        state, info = convert_state(state, BRANCHES[branch], stem)
        result.update({prefix + name: value for name, value in state.items()})
    result.update(thresholds(checkpoint, len(result['head.fc.bias'])))
    progress = {name: checkpoint[name] for name in PROGRESS if name in checkpoint}
    progress = {name: value.item() if hasattr(value, 'item') else value for name, value in progress.items()}
    known = {'model', 'ema_model', *BUFFERS, *PROGRESS}
    info['dropped'] += sorted(str(name) for name in checkpoint if name not in known)
    return dict(state_dict=result, meta=dict(converted_from='ClusMatch', branch=branch, **progress, **info))


def convert(checkpoint: dict, stem: str = 'auto') -> dict:
    """Convert a ClusMatch, GCC or SeCu checkpoint.

    Args:
        checkpoint: What the file holds.
        stem: ``'auto'``, ``'cifar'``, ``'plain'`` or ``'gcc'``.

    Returns:
        ``dict(state_dict=..., meta=...)``. Optimiser, scheduler and loss scaler are dropped, progress goes to meta.
    """
    if isinstance(checkpoint, dict) and 'ema_model' in checkpoint:
        return convert_trained(checkpoint, stem)
    state, container = bare_state(checkpoint, ('model', 'state_dict'))
    branch = branch_of(state)
    if branch == 'propos':
        raise ConversionError("missing: 'ema_model'; neither a ClusMatch nor a whole ProPos checkpoint")
    full = BRANCHES[branch]
    layout = Layout(tuple(part for part in full.parts if part.kind != 'linear'), (*full.dropped, 'cluster_head'))
    state, info = convert_state(state, layout, stem)
    return dict(state_dict=state, meta=dict(converted_from=NAMES[branch], container=container, **info))


if __name__ == '__main__':
    main(convert, __doc__)
