"""Methods that learn from two views, and ClusMatch on them, on a few digits at the size of :mod:`reduced`."""
from __future__ import annotations

from typing import Any

from mmengine.config import Config
from reduced import K
from reduced_spice import NARROW, PROJECTOR, _finish, _read

PREDICTOR = dict(in_channels=8, hid_channels=4, out_channels=8)
NECK = dict(in_channels=8, hid_channels=16, out_channels=8)
NETWORKS = dict(
    simsiam=dict(backbone=NARROW, neck=NECK, predictor=PREDICTOR),
    pcl=dict(backbone=NARROW, projector=PROJECTOR, queue_size=80, granularities=[3, 5]),
    byol_pcl=dict(backbone=NARROW, neck=NECK, predictor=PREDICTOR, granularities=[3, 5]))


def learner_cfg(name: str, work_dir: Any, data: dict[str, str], epochs: int = 3) -> Config:
    """A method alone; prototypes and their E-steps come from the second epoch on.

    Args:
        name: Its name in :data:`NETWORKS`.
        work_dir: Work dir.
        data: Arguments of an ArraySource.
        epochs: Length of the run.
    """
    cfg = _read(f'{name}_cnn_digits', work_dir)
    cfg.model.merge(NETWORKS[name])
    cfg.param_scheduler.warmup_epochs = 1
    for hook in cfg.get('custom_hooks', []):
        if hook.get('param') == 'proto_weight':
            hook.steps = [(0, 0.), (1, 0.5)]
        elif hook.type == 'PrototypeHook':
            hook.update(begin=1, n_init=2)
    cfg.train_dataloader.sampler.streams.batch.size = 20
    return _finish(cfg, data, epochs)


def boosted_cfg(name: str, work_dir: Any, data: dict[str, str], epochs: int = 2) -> Config:
    """ClusMatch on the first stage; arguments as in :func:`learner_cfg`."""
    cfg = _read(f'{name}_clusmatch_cnn_digits/clusmatch', work_dir)
    cfg.model.base.merge(NETWORKS[name])
    cfg.model.base.init_cfg.checkpoint = f'{{{name}}}'
    cfg.model.merge(dict(head=dict(num_clusters=K), pseudo_label_loss=dict(num_clusters=K)))
    cfg.custom_hooks[0].selector.merge(dict(sigma=0.4, n_init=2, num_clusters=K))
    cfg.custom_hooks[1].merge(dict(num_clusters=K, n_init=2))
    cfg.train_dataloader.sampler.merge(dict(length=3, streams=dict(labelled=dict(size=6), unlabelled=dict(size=14))))
    return _finish(cfg, data, epochs)
