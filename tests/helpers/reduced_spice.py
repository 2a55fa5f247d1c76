"""SPICE's stages on a few digits, at the size of :mod:`reduced`."""
from __future__ import annotations

from typing import Any, Optional

from mmengine.config import Config
from reduced import K, _reduce, read_stage

NARROW = dict(type='SmallCNN', in_channels=1, widths=(4, 8))
PROJECTOR = dict(type='MLPProjector', in_channels=8, hid_channels=8, out_channels=4, norm=False)
HEADS = dict(type='MultiHead', num_heads=3, head=dict(type='MLPClusterHead', num_clusters=K))


def _read(key: str, work_dir: Any) -> Config:
    cfg = read_stage(key)
    cfg.work_dir = str(work_dir)
    return cfg


def _finish(cfg: Config, data: dict[str, str], epochs: int, num_workers: int = 0) -> Config:
    cfg.setdefault('param_scheduler', dict(type='ConstantLR', factor=1.))
    constant = cfg.param_scheduler.type == 'ConstantLR'
    cfg = _reduce(cfg, data, epochs, num_workers, None)
    if constant:
        cfg.pop('param_scheduler')
    return cfg


def moco_cfg(work_dir: Any, data: dict[str, str], epochs: int = 3) -> Config:
    """MoCo; arguments as in :func:`reduced.propos_cfg`."""
    cfg = _read('moco_cnn_digits', work_dir)
    cfg.model.merge(dict(backbone=NARROW, projector=PROJECTOR, queue_size=40))
    cfg.train_dataloader.sampler.streams = dict(batch=dict(size=20))
    return _finish(cfg, data, epochs)


def spice_cfg(work_dir: Any, data: dict[str, str], base: Optional[str] = '{moco}', epochs: int = 3, parts: int = 1,
              **model: Any) -> Config:
    """SPICE's heads; ``base``: checkpoint of a MoCo, ``None`` starts from random features.

    Args:
        work_dir: Work dir.
        data: Arguments of an ArraySource.
        base: Checkpoint.
        epochs: Length of the run.
        parts: Loader batches an E-step.
        model: Options of SPICE.
    """
    cfg = _read('spice_cnn_digits/spice_self', work_dir)
    cfg.model.merge(dict(dict(head=HEADS, batch_size=12, repeat=2, backbone=NARROW), **model))
    cfg.model.base.merge(dict(backbone=NARROW, projector=PROJECTOR, queue_size=40))
    if base is None:
        cfg.model.base = None
    else:
        cfg.model.backbone = None
        cfg.model.base.init_cfg.checkpoint = base
    cfg.pop('param_scheduler')
    cfg.train_dataloader.sampler = dict(type='StreamSampler', length=2, streams=dict(batch=dict(size=40)), micro_batches=parts)
    return _finish(cfg, data, epochs)


def joint_cfg(work_dir: Any, data: dict[str, str], base: str = '{spice_self}', epochs: int = 2) -> Config:
    """SPICE's joint stage; the selection takes most rows, since nothing is reliable at this size."""
    cfg = _read('spice_cnn_digits/spice_joint', work_dir)
    cfg.model.merge(dict(backbone=NARROW, head=dict(num_clusters=K),
                         pseudo_label_loss=dict(num_clusters=K), teacher=dict(decay=0.9)))
    select = cfg.custom_hooks[0]
    select.network.merge(dict(backbone=NARROW, head=HEADS, init_cfg=dict(checkpoint=base)))
    select.selector.merge(dict(num_clusters=K, k=5, ratio=0.2, threshold=0., floor=2))
    cfg.train_dataloader.sampler.merge(dict(length=3, streams=dict(labelled=dict(size=6), unlabelled=dict(size=14))))
    return _finish(cfg, data, epochs)
