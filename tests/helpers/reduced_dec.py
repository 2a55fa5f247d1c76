"""DEC's stages and classical methods on a few digits, at the size of :mod:`reduced`."""
from __future__ import annotations

from typing import Any, Optional

from mmengine.config import Config
from reduced import K
from reduced_spice import _finish, _read

ENCODER = dict(type='PlainMLP', in_channels=64, hid_channels=(16, 12), out_channels=4)
DECODER = dict(type='PlainMLP', in_channels=4, hid_channels=(12, 16), out_channels=64)


def autoencoder_cfg(work_dir: Any, data: dict[str, str], epochs: int = 6) -> Config:
    """The autoencoder; arguments as in :func:`reduced.propos_cfg`."""
    cfg = _read('dec_digits/autoencoder', work_dir)
    cfg.model.update(neck=ENCODER, decoder=DECODER)
    cfg.train_dataloader.sampler.streams.batch.size = 20
    return _finish(cfg, data, epochs)


def dec_cfg(name: str, work_dir: Any, data: dict[str, str], base: Optional[str] = '{autoencoder}', epochs: int = 3,
            tol: float = 0.) -> Config:
    """DEC or IDEC with an E-step every two steps.

    Args:
        name: ``'dec'`` or ``'idec'``.
        work_dir: Work dir.
        data: Arguments of an ArraySource.
        base: Checkpoint of an autoencoder; ``None`` starts from random weights.
        epochs: Length of the run.
        tol: Of the E-step.
    """
    cfg = _read(f'{name}_digits/{name}', work_dir)
    cfg.model.base.update(neck=ENCODER, decoder=DECODER)
    if base is None:
        cfg.model.base.pop('init_cfg')
    else:
        cfg.model.base.init_cfg.checkpoint = base
    cfg.model.head.update(num_clusters=K)
    if name == 'idec':
        cfg.model.decoder = DECODER
    cfg.custom_hooks[0].update(tol=tol, n_init=3)
    cfg.train_dataloader.sampler.update(length=2, streams=dict(batch=dict(size=20)))
    cfg = _finish(cfg, data, epochs)
    cfg.val_evaluator.pop('num_clusters')
    return cfg


def classical_cfg(work_dir: Any, data: dict[str, str], method: str = 'kmeans', base: Optional[dict] = None) -> Config:
    """A method of scikit-learn on pixels, or on the embedding of a stage ``autoencoder``.

    Args:
        work_dir: Work dir.
        data: Arguments of an ArraySource.
        method: Name of the method, a stage of the shipped recipe.
        base: Config of the stage's model.
    """
    cfg = _finish(_read(f'classical_{method}_digits', work_dir), data, 1)
    cfg.val_evaluator.pop('num_clusters')
    cfg.model.num_clusters = K
    if base is not None:
        cfg.model.update(backbone=None, base=dict(base, init_cfg=dict(type='Pretrained', checkpoint='{autoencoder}')))
    return cfg
