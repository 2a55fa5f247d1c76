"""GCC and boosters on it on a few digits, at the size of :mod:`reduced`."""
from __future__ import annotations

from typing import Any

from mmengine.config import Config
from reduced import K
from reduced_spice import NARROW, PROJECTOR, _finish, _read

HEAD = dict(type='LinearClusterHead', num_clusters=K)
NETWORK = dict(backbone=dict(NARROW, _delete_=True), projector=PROJECTOR, head=HEAD)


def gcc_cfg(work_dir: Any, data: dict[str, str], epochs: int = 5, begin: int = 2) -> Config:
    """GCC; arguments as in :func:`reduced.propos_cfg`.

    Args:
        work_dir: Work dir.
        data: Arguments of an ArraySource.
        epochs: Length of the run.
        begin: First epoch with a graph, which is built anew every second epoch.
    """
    cfg = _read('gcc_cnn_digits', work_dir)
    cfg.model.merge(NETWORK)
    streams = cfg.train_dataloader.sampler.streams
    streams.batch.size, streams.near.begin, streams.neighbor.begin = 20, begin, begin
    cfg.custom_hooks[0].update(begin=begin, interval=2)
    return _finish(cfg, data, epochs)


def boost_gcc_cfg(work_dir: Any, data: dict[str, str], base: str = '{gcc}', epochs: int = 2) -> Config:
    """ClusMatch on GCC: a new head, and rows of which the old one is surest.

    Args:
        work_dir: Work dir.
        data: Arguments of an ArraySource.
        base: Checkpoint of a GCC.
        epochs: Length of the run.
    """
    cfg = _read('gcc_clusmatch_cnn_digits/clusmatch', work_dir)
    select = cfg.custom_hooks[0]
    for model in (cfg.model.base, select.network):
        model.merge(dict(NETWORK, init_cfg=dict(checkpoint=base)))
    cfg.model.merge(dict(head=HEAD, pseudo_label_loss=dict(num_clusters=K)))
    select.selector.sigma = 0.4
    cfg.train_dataloader.sampler.merge(dict(length=3, streams=dict(labelled=dict(size=6), unlabelled=dict(size=14))))
    return _finish(cfg, data, epochs)
