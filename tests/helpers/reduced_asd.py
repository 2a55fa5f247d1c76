"""ASD on a few digits, at a size that trains in a second."""
from __future__ import annotations

from typing import Any

from mmengine.config import Config
from reduced import K, propos_cfg, read_stage
from reduced_scan import HEADS as LINEAR_HEADS
from reduced_spice import HEADS as MLP_HEADS
from reduced_spice import NARROW, _finish, _read

LABELLED, UNLABELLED = 8, 20


def asd_cfg(work_dir: Any, data: dict[str, str], epochs: int = 4, prototypes: bool = False, **labeller: Any) -> Config:
    """ASD with FreeMatch, three iterations an epoch, a map every second one.

    Args:
        work_dir: Work dir.
        data: Arguments of an ArraySource.
        epochs: Length of the run.
        prototypes: ASD_PS.
        labeller: Options of the labeller.
    """
    name = 'asd_ps_freematch_cnn_digits' if prototypes else 'asd_freematch_cnn_digits'
    given, cfg = read_stage(name), propos_cfg(work_dir, data, epochs=epochs)
    given.model.merge(dict(
        backbone=dict(widths=(4, 8)), head=dict(num_clusters=K),
        labeller=dict(num_clusters=K, num_labelled=LABELLED, num_unlabelled=UNLABELLED, window=6,
                      **labeller),
        pseudo_label_loss=dict(num_clusters=K, decay=0.9)))
    streams = given.train_dataloader.sampler.streams
    streams.merge(dict(labelled=dict(size=LABELLED), unlabelled=dict(size=UNLABELLED), reference=dict(size=LABELLED)))
    for hook in given.custom_hooks:
        if hook.type == 'TransitionHook':
            hook.interval = 2
        if hook.type == 'SelectHook':
            hook.selector.update(num_clusters=K, per_cluster=LABELLED // K)
    cfg.model, cfg.custom_hooks = given.model, given.custom_hooks
    cfg.find_unused_parameters = given.find_unused_parameters
    cfg.train_dataloader.sampler = dict(type='StreamSampler', length=3, streams=streams)
    cfg.optim_wrapper = given.optim_wrapper
    cfg.optim_wrapper.optimizer.lr = 0.5    # so that predictions move
    cfg.pop('param_scheduler')
    return cfg


def _shrink_labeller(cfg: Config, **labeller: Any) -> None:
    cfg.model.labeller.merge(dict(num_clusters=K, num_labelled=LABELLED, num_unlabelled=UNLABELLED,
                                  window=6, **labeller))
    cfg.train_dataloader.sampler.length = 3
    cfg.train_dataloader.sampler.streams.merge(dict(
        labelled=dict(size=LABELLED), unlabelled=dict(size=UNLABELLED), reference=dict(size=LABELLED)))
    for hook in cfg.custom_hooks:
        if hook.type == 'TransitionHook':
            hook.interval = 2
        if hook.type == 'SelectHook':
            hook.selector.update(num_clusters=K, per_cluster=LABELLED // K)


def hosted_cfg(work_dir: Any, data: dict[str, str], host: str, base: str, epochs: int = 3) -> Config:
    """ASD_PS in the place of a host's labels.

    Args:
        work_dir: Work dir.
        data: Arguments of an ArraySource.
        host: ``'scan'`` or ``'spice'``.
        base: Checkpoint of the host.
        epochs: Length of the run.
    """
    cfg = _read(f'{host}_asd_cnn_digits/asd', work_dir)
    heads = dict(MLP_HEADS if host == 'spice' else LINEAR_HEADS)
    cfg.model.base.merge(dict(backbone=NARROW, head=heads, init_cfg=dict(checkpoint=base)))
    if host == 'scan':
        cfg.model.base.num_neighbors = 4
    cfg.model.pseudo_label_loss.update(num_clusters=K, threshold=0.3)
    cfg.optim_wrapper.optimizer.lr = 0.5 if host == 'spice' else 0.05   # so that predictions move
    _shrink_labeller(cfg)
    return _finish(cfg, data, epochs)


def asd_base(cfg: Config, checkpoint: str) -> dict:
    """Config of a base for other methods: a booster as ``cfg`` trained it."""
    model = {key: value for key, value in cfg.model.items() if key != 'data_preprocessor'}
    return dict(model, bank=dict(model['bank'], num_samples=None),
                init_cfg=dict(type='Pretrained', checkpoint=checkpoint))
