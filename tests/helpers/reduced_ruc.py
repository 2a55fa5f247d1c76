"""RUC on a few digits, at the size of :mod:`reduced`, by bank and by ASD's labels."""
from __future__ import annotations

from typing import Any

from mmengine.config import Config
from reduced import K
from reduced_spice import NARROW, PROJECTOR, _finish, _read

HEAD, LOSS = dict(num_clusters=K), dict(num_clusters=K)
LABELLED, UNLABELLED = 8, 24     # enough rows that labels move before the first map is due


def ruc_cfg(work_dir: Any, data: dict[str, str], bases: tuple[str, str] = ('{scan_selflabel}', '{simclr}'),
            epochs: int = 4, **model: Any) -> Config:
    """RUC, whose clean rows are those of a clustering that is hardly sure.

    Args:
        work_dir: Work dir.
        data: Arguments of an ArraySource.
        bases: Checkpoints of the clustering and of the embedding.
        epochs: Length of the run, two for both networks.
        model: Options of the model.
    """
    cfg = _read('scan_ruc_cnn_digits/ruc', work_dir)
    cfg.model.merge(dict(dict(head=HEAD, relabel_threshold=0.6), **model))
    select = cfg.custom_hooks[0]
    select.selector.update(num_clusters=K, k=4, threshold=0.3)
    for clustering in (cfg.model.base, select.network):
        clustering.merge(dict(
            backbone=NARROW, head=HEAD, pseudo_label_loss=LOSS, init_cfg=dict(checkpoint=bases[0])))
    select.embed.network.merge(dict(backbone=NARROW, projector=PROJECTOR, init_cfg=dict(checkpoint=bases[1])))
    cfg.train_dataloader.sampler.streams.unlabelled.size = 20
    return _shorten(cfg, data, epochs)


def ruc_asd_cfg(work_dir: Any, data: dict[str, str], base: str = '{scan_selflabel}', epochs: int = 6,
                **model: Any) -> Config:
    """RUC with ASD's labels, three iterations an epoch, a map every second one; other arguments as above."""
    cfg = _read('scan_ruc_asd_cnn_digits/ruc_asd', work_dir)
    labeller = dict(HEAD, num_labelled=LABELLED, num_unlabelled=UNLABELLED, window=6)
    cfg.model.merge(dict(dict(head=HEAD, labeller=labeller), **model))
    cfg.model.base.merge(dict(backbone=NARROW, head=HEAD, pseudo_label_loss=LOSS, init_cfg=dict(checkpoint=base)))
    cfg.custom_hooks[1].interval = 2
    sizes = dict(unlabelled=dict(size=UNLABELLED), labelled=dict(size=LABELLED), reference=dict(size=LABELLED))
    cfg.train_dataloader.sampler.merge(dict(length=3, streams=sizes))
    return _shorten(cfg, data, epochs)


def _shorten(cfg: Config, data: dict[str, str], epochs: int) -> Config:
    """A rate that tells, on a cosine of the run's length."""
    cfg.optim_wrapper.optimizer.lr = 0.1
    cfg = _finish(cfg, data, epochs)
    cfg.param_scheduler = dict(type='CosineAnnealingLR', T_max=epochs)
    return cfg
