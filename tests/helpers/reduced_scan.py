"""SCAN's stages on a few digits, at the size of :mod:`reduced`."""
from __future__ import annotations

from typing import Any

from mmengine.config import Config
from reduced import K
from reduced_spice import NARROW, PROJECTOR, _finish, _read

HEADS = dict(num_heads=3, head=dict(type='LinearClusterHead', num_clusters=K))


def simclr_cfg(work_dir: Any, data: dict[str, str], epochs: int = 4) -> Config:
    """SimCLR; arguments as in :func:`reduced.propos_cfg`."""
    cfg = _read('simclr_cnn_digits', work_dir)
    cfg.model.merge(dict(backbone=NARROW, projector=PROJECTOR))
    cfg.train_dataloader.sampler.update(length=12, streams=dict(batch=dict(size=20)))
    return _finish(cfg, data, epochs)


def scan_cfg(work_dir: Any, data: dict[str, str], base: str = '{simclr}', epochs: int = 3, num_workers: int = 0,
             **model: Any) -> Config:
    """SCAN's clustering step.

    Args:
        work_dir: Work dir.
        data: Arguments of an ArraySource.
        base: Checkpoint of a SimCLR.
        epochs: Length of the run.
        num_workers: Of all loaders.
        model: Options of SCAN.
    """
    cfg = _read('scan_cnn_digits/scan_cluster', work_dir)
    cfg.model.merge(dict(dict(head=HEADS, num_neighbors=4, entropy_weight=5.), **model))
    for simclr in (cfg.model.base, cfg.custom_hooks[0].network):
        simclr.merge(dict(backbone=NARROW, projector=PROJECTOR, init_cfg=dict(checkpoint=base)))
    cfg.train_dataloader.sampler.merge(dict(length=12, streams=dict(anchor=dict(size=20))))
    cfg.optim_wrapper.optimizer.lr = 0.05
    return _finish(cfg, data, epochs, num_workers)


def selflabel_cfg(work_dir: Any, data: dict[str, str], base: str = '{scan_cluster}', epochs: int = 2) -> Config:
    """SCAN's self-labelling, with a threshold that rows pass at this size.

    Args:
        work_dir: Work dir.
        data: Arguments of an ArraySource.
        base: Checkpoint of a SCAN.
        epochs: Length of the run.
    """
    cfg = _read('scan_cnn_digits/scan_selflabel', work_dir)
    cfg.model.base.merge(dict(backbone=NARROW, head=HEADS, num_neighbors=4, init_cfg=dict(checkpoint=base)))
    cfg.model.pseudo_label_loss.merge(dict(num_clusters=K, threshold=0.3))
    cfg.train_dataloader.sampler.streams.unlabelled.size = 20
    return _finish(cfg, data, epochs)
