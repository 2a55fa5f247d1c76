"""PICI on a few digits, two epochs a phase, at the size of :mod:`reduced`."""
from __future__ import annotations

from typing import Any

from mmengine.config import Config
from reduced import K
from reduced_spice import _finish, _read

ARCH = dict(embed_dims=8, num_layers=1, num_heads=2, feedforward_channels=16)
PHASE = 2
EPOCHS = 3 * PHASE


def pici_cfg(work_dir: Any, data: dict[str, str], epochs: int = EPOCHS, phase: int = PHASE, num_workers: int = 0,
             **model: Any) -> Config:
    """Pre-training, training and boosting.

    Args:
        work_dir: Work dir.
        data: Arguments of an ArraySource.
        epochs: Length of the run.
        phase: Length of each of the first two phases.
        num_workers: Of all loaders.
        model: Options of PICI.
    """
    cfg = _read('pici_vit_digits', work_dir)
    cfg.model.merge(dict(
        backbone=dict(arch=dict(ARCH, _delete_=True), mask_ratio=0.5),
        projector=dict(in_channels=8, hid_channels=8, out_channels=6), head=dict(num_clusters=K),
        decoder=dict(embed_dim=8, decoder_embed_dim=4, decoder_num_heads=1), **model))
    for hook, steps in zip(cfg.custom_hooks, ([(0, 1.), (2 * phase, 0.)], [(0, 0.), (phase, 1.)],
                                              [(0, 0.), (2 * phase, 1.)])):
        hook.steps = steps
    cfg.custom_hooks[3].update(begin=2 * phase, n_init=2)
    cfg.train_dataloader.sampler.streams.batch.size = 20
    cfg.optim_wrapper.optimizer.lr = 0.01
    return _finish(cfg, data, epochs, num_workers)
