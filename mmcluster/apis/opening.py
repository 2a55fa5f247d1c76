"""From the files of a run to a config and a model."""
from __future__ import annotations

import os.path as osp
from typing import Any, Optional

from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from mmcluster.compat import load_checkpoint_file
from mmcluster.engine.launch import without_pretrained
from mmcluster.models.clusterers import BaseClusterer
from mmcluster.recipes import read_config
from mmcluster.recipes.binding import bind_data
from mmcluster.recipes.config_names import check_config
from mmcluster.recipes.option_names import check_names
from mmcluster.recipes.stages import read_stage
from mmcluster.registry import MODELS
from mmcluster.strict import load_strictly, state_dict_of, with_own_bank
from mmcluster.utils import usable_device


def open_config(path: str, stage: Optional[str] = None, options: Optional[dict[str, Any]] = None,
                work_dir: Optional[str] = None) -> Config:
    """Config of a run whose checkpoint is to be read: files that its training started from are not needed.

    Args:
        path: A config, or a recipe.
        stage: Stage of a recipe; may be left out if there is one only.
        options: Settings that override the file's.
        work_dir: Where a run of the config writes; by default a folder of the config's name.

    Raises:
        ValueError: If the config is a recipe and ``stage`` is none of its stages, or nothing reads an option.
    """
    if options:
        check_names(read_config(path), options)
    cfg = read_stage(path, stage, options)
    if options:
        check_config(cfg)
    cfg.work_dir = work_dir or osp.join('work_dirs', osp.splitext(osp.basename(path))[0], 'test')
    cfg.model = without_pretrained(cfg.model)
    bind_data(cfg)
    return cfg


def build_model(cfg: Config, checkpoint: Optional[str] = None, device: Optional[str] = None) -> BaseClusterer:
    """Model of a config without its data, in evaluation mode.

    Args:
        cfg: See :func:`mmcluster.recipes.stages.read_stage`; the model keeps it as ``config``.
        checkpoint: File of which every key must fit but the per-sample state.
        device: Where the model lies; the accelerator by default.
    """
    init_default_scope('mmcluster')
    given = without_pretrained(cfg.model)
    if given.get('bank'):
        given.bank = dict(given.bank, num_samples=1, fingerprint=0)
    model = MODELS.build(given)
    if checkpoint is None:
        model.init_weights()
    else:
        state = state_dict_of(load_checkpoint_file(checkpoint))
        load_strictly(model, with_own_bank(model, state), checkpoint)
    model.config = cfg
    return model.to(usable_device(device)).eval()


def open_model(cfg: Config, checkpoint: Optional[str] = None) -> BaseClusterer:
    """Model of a config in evaluation mode, on the accelerator if there is one.

    Args:
        cfg: See :func:`open_config`.
        checkpoint: File of which every key must fit; ``None`` leaves the model as it was built.
    """
    init_default_scope('mmcluster')
    model = MODELS.build(cfg.model)
    if checkpoint is not None:
        load_weights(model, checkpoint)
    return model.to(usable_device()).eval()


def load_weights(model: nn.Module, checkpoint: str) -> None:
    """Load a checkpoint of which every key must fit.

    Args:
        model: The model, whose weights and buffers are replaced.
        checkpoint: File.
    """
    load_strictly(model, state_dict_of(load_checkpoint_file(checkpoint)), checkpoint)
