"""SeCu and ClusMatch on it, on a few digits, at the size of :mod:`reduced`."""
from __future__ import annotations

from typing import Any

from mmengine.config import Config
from reduced import K
from reduced_spice import NARROW, _finish, _read

NECK = dict(in_channels=8, hid_channels=16, out_channels=8)
NETWORK = dict(backbone=dict(NARROW, _delete_=True), neck=NECK, num_clusters=K, heads=2)


def secu_cfg(work_dir: Any, data: dict[str, str], epochs: int = 3, **model: Any) -> Config:
    """SeCu; its rate rests for one epoch and warms up for another.

    Args:
        work_dir: Work dir.
        data: Arguments of an ArraySource.
        epochs: Length of the run.
        model: Options of the model.
    """
    cfg = _read('secu_cnn_digits', work_dir)
    cfg.model.merge(dict(NETWORK, **model))
    cfg.train_dataloader.sampler.streams.batch.size = 20
    cfg.param_scheduler.warmup_epochs = 2
    return _finish(cfg, data, epochs)


def boost_secu_cfg(work_dir: Any, data: dict[str, str], base: str = '{secu}', epochs: int = 2) -> Config:
    """ClusMatch on SeCu; ``base``: checkpoint of a SeCu, the other arguments as in :func:`secu_cfg`."""
    cfg = _read('secu_clusmatch_cnn_digits/clusmatch', work_dir)
    cfg.model.base.merge(dict(NETWORK, init_cfg=dict(checkpoint=base)))
    cfg.model.merge(dict(head=dict(num_clusters=K), pseudo_label_loss=dict(num_clusters=K)))
    select, means = cfg.custom_hooks[:2]
    select.network.merge(dict(NETWORK, init_cfg=dict(checkpoint=base)))
    select.selector.sigma = 0.4
    means.num_clusters = K
    cfg.train_dataloader.sampler.merge(dict(length=3, streams=dict(labelled=dict(size=6), unlabelled=dict(size=14))))
    return _finish(cfg, data, epochs)
