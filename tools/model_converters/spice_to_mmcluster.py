"""Convert a released SPICE checkpoint of any stage, or a MoCo v2 checkpoint.

    python tools/model_converters/spice_to_mmcluster.py SRC DST [--stem cifar|plain|gcc] [--head N]
        [--best-so-far head|network] [--allow-pickle]

- Pretext (``encoder_q.*``, ``encoder_k.*``, ``queue``): a state dict of ``MoCo``. A file of the query network alone,
  as published for MoCo v2, becomes ``backbone.*`` and ``projector.*``, which is all that ``SimCLR`` has.
- Heads (``feature_module.*``, ``head.head_N.*``; running, or selected with one head): a state dict of ``SPICE``
  without its bank. A running file does not say which head is best: name it by ``--head``. ``--best-so-far network``
  suits a config whose network trains, or whose batch norm does (``norm_eval=False``).
- Joint (``train_model``, ``eval_model``): a state dict of ``Boost`` with a teacher, on a ResNet or ``WideResNet``.

Load it strictly as a ``base`` or a hook's ``source``, or into the model itself with ``strict=False``, for per-sample
state is not in the file. 32 pixel files (``resnet18_cifar``) need ``--stem cifar``, 96 pixel ones with a ResNet-18
``--stem gcc``; ``clusterresnet`` is ``GCCResNet`` of depth 34. Embedding (``feas_*.npy``) and label files are not
converted: a ``FeatureHook`` and a ``SelectHook`` make them anew.
"""
from __future__ import annotations

from typing import Optional

from head_names import BEST_OPTIONS, deployed_head, multi_head_state, numbered_heads, stem_of
from released import Layout, Part, bare_state, convert_part, convert_state, main, take
from resnet_names import ConversionError, State, check_names
from wide_names import convert_wide, is_wide

QUERY = (Part('encoder_q.fc', 'projector', 'plain_mlp'), Part('encoder_q', 'backbone', 'backbone'))
KEY = (Part('encoder_k.fc', 'teacher.projector', 'plain_mlp'), Part('encoder_k', 'teacher.backbone', 'backbone'))
STEMS = {'clusterresnet': 'gcc', 'resnet18': 'gcc', 'resnet18_cifar': 'cifar'}
HEAD = r'head\.head_(?P<head>\d+)\.classifier\.(?P<name>lin[12]\.(weight|bias))'
HEAD_NAMES = {f'lin{i}.{name}': f'fc{i}.{name}' for i in (1, 2) for name in ('weight', 'bias')}


def convert_pretext(state: State, stem: str, arch: Optional[str]) -> tuple[State, dict]:
    """MoCo's networks and queue.

    Args:
        state: Parameters.
        stem: See :func:`convert`.
        arch: What the file says of its network.
    """
    query = {name[len('encoder_q.'):]: value for name, value in state.items() if name.startswith('encoder_q.')}
    if stem == 'auto' and arch in STEMS and 'conv1.weight' in query and query['conv1.weight'].shape[-1] == 3:
        stem = STEMS[arch]
    stem = stem_of(query, stem, downsample='gcc')
    if not any(name.startswith(('encoder_k.', 'queue')) for name in state):
        return convert_state(state, Layout(QUERY), stem)
    state = dict(state)
    if 'queue' not in state or 'queue_ptr' not in state:
        raise ConversionError('missing: queue and queue_ptr')
    queue, pointer = state.pop('queue'), state.pop('queue_ptr')
    if queue.dim() != 2 or pointer.numel() != 1:
        raise ConversionError(f'queue should be a matrix and queue_ptr a number, got {tuple(queue.shape)} and '
                              f'{tuple(pointer.shape)}')
    converted, info = convert_state(state, Layout((*QUERY, *KEY)), stem)
    return {**converted, 'queue': queue, 'queue_pointer': pointer.reshape(()).long()}, info


def convert_heads(state: State, stem: str, head: Optional[int], best_so_far: str) -> tuple[State, dict]:
    """SPICE's fixed network and its heads."""
    state = dict(state)
    network = take(state, 'feature_module')
    stem = stem_of(network, stem, downsample='gcc')
    backbone, info = convert_part(network, Part('feature_module', 'backbone', 'backbone'), stem)
    heads = numbered_heads(state, HEAD, HEAD_NAMES)
    check_names(state, (), 'the file')
    kept = deployed_head(head, len(heads))
    state = multi_head_state(backbone, heads, kept, best_so_far == 'network')
    return state, dict(info, heads=len(heads), kept_head=kept)


def convert_joint(checkpoint: dict, stem: str) -> tuple[State, dict]:
    """The classifier of the joint stage and its average."""
    result, infos = {}, []
    for key, prefix in (('train_model', ''), ('eval_model', 'teacher.')):
        state, _ = bare_state({key: checkpoint.get(key)}, (key,))
        head, _ = convert_part(take(state, 'fc'), Part('fc', f'{prefix}head', 'linear'), stem)
        if is_wide(state):
            backbone, info = convert_wide(state, key)
            backbone = {f'{prefix}backbone.{name}': value for name, value in backbone.items()}
        else:
            part = Part(key, f'{prefix}backbone', 'backbone')
            backbone, info = convert_part(state, part, stem_of(state, stem, downsample='gcc'))
        result.update({**backbone, **head})
        infos.append(info)
    if infos[0] != infos[1]:
        raise ConversionError(f'train_model and eval_model differ: {infos[0]} and {infos[1]}')
    return result, infos[0]


def convert(checkpoint: dict, stem: str = 'auto', head: Optional[int] = None, best_so_far: str = 'head') -> dict:
    """Convert a SPICE checkpoint.

    Args:
        checkpoint: What the file holds.
        stem: ``'auto'``, ``'cifar'``, ``'plain'`` or ``'gcc'``.
        head: Number of the head to deploy, for a file of several.
        best_so_far: What ``SPICE`` keeps of its best network, ``'head'`` or ``'network'``.

    Returns:
        ``dict(state_dict=..., meta=...)``.
    """
    if isinstance(checkpoint, dict) and {'train_model', 'eval_model'} & set(checkpoint):
        stage, container = 'joint', 'train_model, eval_model'
        state, info = convert_joint(checkpoint, stem)
    else:
        state, container = bare_state(checkpoint, ('state_dict',))
        if any(name.startswith('encoder_q.') for name in state):
            stage = 'pretext'
            state, info = convert_pretext(state, stem, checkpoint.get('arch'))
        elif any(name.startswith('feature_module.') for name in state):
            stage = 'heads'
            state, info = convert_heads(state, stem, head, best_so_far)
        else:
            raise ConversionError('none of the parameters starts with encoder_q or feature_module')
    if head is not None and stage != 'heads':
        raise ConversionError(f'this is a file of the {stage} stage; --head is for one of several heads')
    progress = {name: int(checkpoint[name]) for name in ('epoch', 'it') if name in checkpoint}
    return dict(state_dict=state, meta=dict(converted_from='SPICE', stage=stage, container=container, **progress,
                                            **info))


if __name__ == '__main__':
    main(convert, __doc__, options=BEST_OPTIONS)
