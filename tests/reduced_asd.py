"""ASD on a few digits, at a size that trains in a second."""
from __future__ import annotations

from typing import Any

from mmengine.config import Config
from reduced import CONFIGS, K, propos_cfg

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
    given, cfg = Config.fromfile(CONFIGS / f'{name}.py', lazy_import=False), propos_cfg(work_dir, data, epochs=epochs)
    given.model.merge(dict(
        backbone=dict(widths=(4, 8)), head=dict(in_channels=8, num_clusters=K),
        labeller=dict(in_channels=8, num_clusters=K, num_labelled=LABELLED, num_unlabelled=UNLABELLED, window=6,
                      **labeller),
        pseudo_label_loss=dict(num_clusters=K, decay=0.9)))
    streams = given.train_dataloader.sampler.streams
    streams.merge(dict(labelled=dict(size=LABELLED), unlabelled=dict(size=UNLABELLED), anchor=dict(size=LABELLED)))
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
