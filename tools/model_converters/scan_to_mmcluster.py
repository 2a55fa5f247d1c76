"""Convert a released SCAN checkpoint of any stage.

    python tools/model_converters/scan_to_mmcluster.py SRC DST [--stem cifar|plain|gcc] [--head N]
        [--best-so-far head|network] [--allow-pickle]

- Pretext (``backbone.*``, ``contrastive_head.*``): a state dict of ``SimCLR``.
- Clustering (``backbone.*``, ``cluster_head.N.*`` with the number of the best head): a state dict of ``SCAN`` without
  its bank. ``--best-so-far head`` suits a config that trains heads only (``freeze=True``, the ImageNet files). A
  running file names the head that was best in an earlier epoch, whose weights it does not hold.
- Self-labelling (one head and no number): a state dict of ``Boost`` without a teacher.

Load it strictly as a ``base`` or a hook's ``source``, or into the model itself with ``strict=False``, for per-sample
state is not in the file. CIFAR files need ``--stem cifar``, STL-10 ones ``--stem gcc``. The files of neighbours,
``topk-*.npy``, are not converted: they do not say which images they belong to; a ``NeighborHook`` mines them anew.
"""
from __future__ import annotations

from typing import Any, Optional

from head_names import BEST_OPTIONS, deployed_head, multi_head_state, numbered_heads, stem_of
from released import Layout, Part, bare_state, convert_part, convert_state, main, take
from resnet_names import ConversionError, State, check_names

BACKBONE = Part('backbone', 'backbone', 'backbone')
PRETEXT = Layout((BACKBONE, Part('contrastive_head', 'projector', 'plain_mlp')))
HEAD = r'cluster_head\.(?P<head>\d+)\.(?P<name>weight|bias)'
HEAD_NAMES = {name: f'fc.{name}' for name in ('weight', 'bias')}
BEST = ('head', 'best_loss_head')


def plain(value: Any) -> Any:
    """A number of NumPy or torch as Python's own."""
    return value.item() if hasattr(value, 'item') else value


def convert_clustering(state: State, stem: str, best: Optional[int], several: bool, whole: bool) -> tuple[State, dict]:
    """Backbone and heads, of SCAN or of a self-labelled network.

    Args:
        state: Parameters.
        stem: See :func:`convert`.
        best: Number of the best head, if it is known.
        several: The file is of the clustering stage even if it has a single head.
        whole: See :func:`convert`, ``best_so_far='network'``.
    """
    state = dict(state)
    backbone, info = convert_part(take(state, 'backbone'), BACKBONE, stem)
    heads = numbered_heads(state, HEAD, HEAD_NAMES)
    check_names(state, (), 'the file')
    if len(heads) == 1 and not several:
        head = {f'head.{name}': value for name, value in heads[0].items()}
        return {**backbone, **head}, dict(info, stage='self-labelling')
    kept = deployed_head(best, len(heads))
    return multi_head_state(backbone, heads, kept, whole), dict(info, stage='clustering', heads=len(heads),
                                                               kept_head=kept)


def convert(checkpoint: dict, stem: str = 'auto', head: Optional[int] = None, best_so_far: str = 'network') -> dict:
    """Convert a SCAN checkpoint.

    Args:
        checkpoint: What the file holds.
        stem: ``'auto'``, ``'cifar'``, ``'plain'`` or ``'gcc'``.
        head: Number of the head to deploy; ``None`` takes the file's.
        best_so_far: What ``SCAN`` keeps of its best network, ``'head'`` or ``'network'``.

    Returns:
        ``dict(state_dict=..., meta=...)``.
    """
    state, container = bare_state(checkpoint, ('model', 'state_dict'))
    kinds = {name.split('.')[0] for name in state}
    if not {'backbone'} < kinds <= {'backbone', 'contrastive_head', 'cluster_head'} or len(kinds) != 2:
        raise ConversionError(f'expected backbone and one of contrastive_head and cluster_head, got {sorted(kinds)}')
    stem = stem_of({name[len('backbone.'):]: value for name, value in state.items()
                    if name.startswith('backbone.')}, stem)
    wrapped = {name: plain(checkpoint[name]) for name in (*BEST, 'epoch', 'best_loss') if container and
               name in checkpoint}
    if 'contrastive_head' in kinds:
        if head is not None:
            raise ConversionError('this is a file of the pretext stage; --head is for one of several heads')
        state, info = convert_state(state, PRETEXT, stem)
        info['stage'] = 'pretext'
    else:
        named = next((wrapped[name] for name in BEST if wrapped.get(name) is not None), None)
        several, whole = head is not None or any(name in wrapped for name in BEST), best_so_far == 'network'
        state, info = convert_clustering(state, stem, named if head is None else head, several, whole)
    progress = {name: wrapped[name] for name in ('epoch', 'best_loss') if name in wrapped}
    return dict(state_dict=state, meta=dict(converted_from='SCAN', container=container, **progress, **info))


if __name__ == '__main__':
    main(convert, __doc__, options=BEST_OPTIONS)
