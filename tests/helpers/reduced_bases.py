"""Further bases on a few digits, at the size of :mod:`reduced`."""
from __future__ import annotations

from typing import Any

from mmengine.config import Config
from reduced import K
from reduced_cc import NETWORK
from reduced_spice import NARROW, _finish, _read

TCL_BOOST = 2       # epoch in which TCL's boosting begins


def idfd_cfg(work_dir: Any, data: dict[str, str], epochs: int = 3) -> Config:
    """IDFD; arguments as in :func:`tcl_cfg`."""
    cfg = _read('idfd_cnn_digits', work_dir)
    cfg.model.merge(dict(backbone=dict(NARROW, _delete_=True), neck=dict(in_channels=8, out_channels=4)))
    cfg.train_dataloader.sampler.streams.batch.size = 20
    cfg.param_scheduler = dict(type='ConstantLR', factor=1.)
    return _finish(cfg, data, epochs)


def cc_psl_cfg(work_dir: Any, data: dict[str, str], epochs: int = 3) -> Config:
    """CC with prototype scattering from the second epoch on; arguments as in :func:`tcl_cfg`."""
    cfg = _read('cc_psl_cnn_digits', work_dir)
    cfg.model.merge(NETWORK)
    cfg.custom_hooks[0].steps = [(0, 0.), (1, 0.1)]
    cfg.custom_hooks[1].n_init = 1
    cfg.train_dataloader.sampler.streams.batch.size = 20
    return _finish(cfg, data, epochs)


def byol_cc_cfg(work_dir: Any, data: dict[str, str], epochs: int = 3) -> Config:
    """BYOL with CC's contrasts; arguments as in :func:`tcl_cfg`."""
    cfg = _read('byol_cc_cnn_digits', work_dir)
    mlp = dict(in_channels=8, hid_channels=16, out_channels=8)
    cfg.model.merge(dict(
        backbone=dict(NARROW, _delete_=True), neck=mlp, predictor=mlp, head=dict(num_clusters=K)))
    cfg.train_dataloader.sampler.streams.batch.size = 20
    cfg.param_scheduler.warmup_epochs = 1
    return _finish(cfg, data, epochs)


def tcl_cfg(work_dir: Any, data: dict[str, str], epochs: int = 4) -> Config:
    """TCL, boosted from :data:`TCL_BOOST` on; its head starts unequal enough that it is sure of some rows, not of all.

    Args:
        work_dir: Work dir.
        data: Arguments of an ArraySource.
        epochs: Length of the run.
    """
    cfg = _read('tcl_cnn_digits', work_dir)
    cfg.model.merge(dict(
        backbone=dict(NARROW, _delete_=True), neck=dict(in_channels=8, out_channels=8), threshold=0.4,
        projector=dict(in_channels=8, hid_channels=8, out_channels=4),
        head=dict(num_clusters=K, init_cfg=dict(type='Normal', layer='Linear', std=0.5))))
    cfg.custom_hooks[0].steps = [(0, 0.), (TCL_BOOST, 1.)]
    cfg.train_dataloader.sampler.streams.batch.size = 20
    return _finish(cfg, data, epochs)
