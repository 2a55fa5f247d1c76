"""CC and boosters on it on a few digits, and CC on a few images in STL-10's layout, at the size of :mod:`reduced`."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from reduced import K, _reduce
from reduced_spice import NARROW, PROJECTOR, _finish, _read

HEAD = dict(type='MLPClusterHead', num_clusters=K)
NETWORK = dict(backbone=dict(NARROW, _delete_=True), projector=PROJECTOR, head=HEAD)


def cc_cfg(work_dir: Any, data: dict[str, str], epochs: int = 3) -> Config:
    """CC; arguments as in :func:`reduced.propos_cfg`."""
    cfg = _read('cc_cnn_digits', work_dir)
    cfg.model.merge(NETWORK)
    cfg.train_dataloader.sampler.streams.batch.size = 20
    return _finish(cfg, data, epochs)


def boost_cc_cfg(loss: str, work_dir: Any, data: dict[str, str], base: str = '{cc}', epochs: int = 2) -> Config:
    """ClusMatch or FixMatch on CC.

    Args:
        loss: ``'clusmatch'`` or ``'fixmatch'``.
        work_dir: Work dir.
        data: Arguments of an ArraySource.
        base: Checkpoint of a CC.
        epochs: Length of the run.
    """
    cfg = _read(f'cc_{loss}_cnn_sign_digits/{loss}', work_dir)
    cfg.model.base.merge(dict(NETWORK, init_cfg=dict(checkpoint=base)))
    shift = [dict(type='BatchAffine', degrees=5)]
    cfg.model.data_preprocessor.update(mean=[0.], std=[255.], views=dict(labelled=[shift], unlabelled=[shift, shift]))
    cfg.model.pseudo_label_loss.num_clusters = K
    cfg.custom_hooks[0].selector.sigma = 0.4
    if loss == 'clusmatch':
        cfg.custom_hooks[1].num_clusters = K
    cfg.train_dataloader.sampler.merge(dict(length=3, streams=dict(labelled=dict(size=6), unlabelled=dict(size=14))))
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        cfg[name].dataset.size = None
    return _finish(cfg, data, epochs)


def write_stl10(folder: Path, permute: int | None = None) -> str:
    """Write 12 training, 12 test and 20 unlabelled images of noise; returns the folder.

    Args:
        folder: Where to; it is made if needed.
        permute: Seed of a permutation of the labels.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for name, count in dict(train=12, test=12, unlabeled=20).items():
        (folder / f'{name}_X.bin').write_bytes(rng.bytes(count * 3 * 96 * 96))
        labels = np.arange(count) % K + 1
        labels = labels if permute is None else np.random.default_rng(permute).permutation(labels)
        (folder / f'{name}_y.bin').write_bytes(labels.astype(np.uint8).tobytes())
    return str(folder)


def stl10_cfg(work_dir: Any, root: str, epochs: int = 3) -> Config:
    """CC with unlabelled images first: two steps of them an epoch, then three of the others.

    Args:
        work_dir: Work dir.
        root: Folder of :func:`write_stl10`.
        epochs: Length of the run.
    """
    cfg = _read('cc_r34_stl10', work_dir)
    cfg.model.merge(dict(NETWORK, backbone=dict(NARROW, in_channels=3, _delete_=True)))
    for view in cfg.model.data_preprocessor.views:
        view[0].size = 16
    cfg.model.data_preprocessor.test[0].size = 16
    cfg.train_dataloader.sampler.merge(dict(streams=dict(instance_only=dict(size=10), batch=dict(size=8))))
    splits = {name: cfg[name].dataset.source.split for name in ('train_dataloader', 'val_dataloader')}
    cfg.param_scheduler = dict(type='ConstantLR', factor=1.)
    cfg = _reduce(cfg, {}, epochs, 0, None)
    cfg.pop('param_scheduler')
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        split = splits.get(name, splits['val_dataloader'])
        cfg[name].dataset.source = dict(type='STL10Source', root=root, split=split)
    return cfg
