"""Encoders of this project: the deployed network of a run."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Optional, Sequence, Union

import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from PIL import Image
from torch import Tensor

from mmcluster.compat import load_checkpoint_file
from mmcluster.datasets.view_pipeline import ViewPipeline
from mmcluster.engine.launch import without_pretrained
from mmcluster.engine.resume import latest_checkpoint
from mmcluster.models.clusterers import BaseClusterer
from mmcluster.recipes.known_types import check_built
from mmcluster.recipes.records import DONE, STARTED, read_record, stages_before
from mmcluster.registry import DATASETS, MODELS, import_plugins
from mmcluster.strict import load_strictly, state_dict_of
from mmcluster.structures import TEST_STREAM, Rows

from .base import Encoder, weights_digest


class MemoryView:
    """What the in-memory door makes of an image: one size, whatever its aspect.

    Args:
        size: (H, W).
        mode: ``'RGB'`` or ``'L'``.
    """

    def __init__(self, size: tuple[int, int], mode: str) -> None:
        self.size, self.mode = size, mode
        self.draft_size = max(size)

    def __call__(self, image: Image.Image) -> np.ndarray:
        """Turn an RGB image into (H, W, C) uint8."""
        image = image.convert(self.mode)
        if image.size != self.size[::-1]:
            image = image.resize(self.size[::-1], Image.Resampling.BICUBIC)
        return np.asarray(image).reshape(*self.size, -1)

    def __repr__(self) -> str:
        return f'MemoryView({self.size}, {self.mode!r})'


class WorkerView:
    """What the worker door makes of an image: the transforms of the evaluation view.

    Args:
        transforms: Their configs.
        mode: ``'RGB'`` or ``'L'``.
    """

    draft_size = None       # what the transforms do is not known

    def __init__(self, transforms: Sequence[dict], mode: str) -> None:
        self.transforms, self.mode = list(transforms), mode
        init_default_scope('mmcluster')
        self.pipeline = ViewPipeline(self.transforms)

    def __call__(self, image: Image.Image) -> np.ndarray:
        """Turn an RGB image into (H, W, C) uint8."""
        return self.pipeline(image.convert(self.mode), 0).permute(1, 2, 0).numpy()

    def __repr__(self) -> str:
        return f'WorkerView({self.transforms}, {self.mode!r})'


@torch.inference_mode()
def normalised(model: BaseClusterer, view: Union[MemoryView, WorkerView], images: Tensor) -> Tensor:
    """What a network is given (B, C, H, W) of what a view made of images.

    Args:
        model: The clusterer, in evaluation mode; its preprocessor is used.
        view: See :func:`view_of`.
        images: (B, C, H, W) uint8 where the model lies, see :func:`stacked`.
    """
    none = torch.zeros(len(images), dtype=torch.long)
    in_memory = isinstance(view, MemoryView)        # which says how the preprocessor finds its images
    pixels = images.permute(0, 2, 3, 1).contiguous() if in_memory else images.contiguous()
    rows = Rows(images=[pixels], index=none, draw=none)
    return model.data_preprocessor({TEST_STREAM: rows}, False)['data_samples'][TEST_STREAM].views[0]


def stacked(view: Union[MemoryView, WorkerView], images: Sequence[Image.Image]) -> Tensor:
    """View of RGB images as (B, C, H, W) uint8.

    Args:
        view: See :func:`view_of`.
        images: B of any size.
    """
    return torch.from_numpy(np.stack([view(image) for image in images])).permute(0, 3, 1, 2)


class OwnEncoder(Encoder):
    """``embed`` of a trained clusterer.

    Args:
        model: The clusterer, with its preprocessor.
        preprocess: A view of either door.
        name: Name of the run.
        spec: What the user gave.
        description: One sentence.
    """

    preprocess: Union[MemoryView, WorkerView]

    def __init__(self, model: BaseClusterer, preprocess: Union[MemoryView, WorkerView], name: str, spec: str,
                 description: str) -> None:
        self.model = model.train(False).requires_grad_(False)
        self.preprocess, self.name, self.spec, self.description = preprocess, name, spec, description
        self.device = torch.device('cpu')
        self.digest = weights_digest(model, [type(model).__name__, repr(model.data_preprocessor.test),
                                             repr(preprocess), *_scale(model)])
        self.dim = self.encode(stacked(preprocess, [Image.new('RGB', (256, 256))])).shape[1]

    @torch.inference_mode()
    def encode(self, images: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """See :meth:`Encoder.encode`."""
        with torch.autocast(self.device.type, dtype, enabled=dtype != torch.float32):
            return self.model.embed(self.normalised(images)).float()

    def normalised(self, images: Tensor) -> Tensor:
        """What the network is given, see :func:`normalised`."""
        return normalised(self.model, self.preprocess, images)

    def to(self, device: Union[str, torch.device]) -> OwnEncoder:
        """See :meth:`Encoder.to`."""
        self.device = torch.device(device)
        self.model.to(self.device)
        return self


def own_encoder(path: str) -> OwnEncoder:
    """The deployed network of a run, with the evaluation view of its config.

    Args:
        path: Work dir of a run or of a recipe, whose last finished stage counts; or a checkpoint in a work dir.

    Raises:
        FileNotFoundError: If there is no config or no checkpoint.
        ValueError: If the config asks for what is no part of a network.
    """
    stage = _stage_of(path)
    checkpoint = path if os.path.isfile(path) else stage and latest_checkpoint(str(stage))
    if stage is None or checkpoint is None:
        raise FileNotFoundError(f'{path} is no work dir of mmcluster, nor a checkpoint in one: it needs {STARTED} and '
                                'the checkpoint side by side, as a training leaves them')
    cfg = ConfigDict(read_record(str(stage), STARTED))
    import_plugins(cfg)
    check_built([cfg.model, cfg.test_dataloader.dataset], str(stage / STARTED))
    init_default_scope('mmcluster')
    model = MODELS.build(without_pretrained(cfg.model))
    load_strictly(model, state_dict_of(load_checkpoint_file(str(checkpoint))), str(checkpoint))
    return OwnEncoder(model, view_of(cfg), f'{type(model).__name__} of {stage.name}', path,
                      f'{type(model).__name__} that was trained without labels in {stage.name}.')


def stages_of(spec: str) -> list[str]:
    """Work dirs of the stages that made an encoder of this project, the first one first; none of another encoder.

    Args:
        spec: See :func:`mmcluster.encoders.build_encoder`.
    """
    stage = _stage_of(spec) if os.path.exists(spec) else None
    return [] if stage is None else [*stages_before(str(stage)), str(stage)]


def _stage_of(path: str) -> Optional[Path]:
    """The stage of a work dir, or of a checkpoint in one; of a recipe the one that was finished last."""
    folder = Path(path) if os.path.isdir(path) else Path(path).parent
    if (folder / STARTED).is_file():
        return folder
    done = [file for file in folder.glob(f'*/{DONE}') if (file.parent / STARTED).is_file()]
    return max(done, key=lambda file: file.stat().st_mtime).parent if done else None


def view_of(cfg: Union[Config, ConfigDict]) -> Union[MemoryView, WorkerView]:
    """The evaluation view of a config, its part before the data preprocessor.

    Args:
        cfg: Of a stage.
    """
    dataset = cfg.test_dataloader.dataset
    mode = dataset.source.get('mode', 'L' if len(cfg.model.data_preprocessor.mean) == 1 else 'RGB')
    if dataset.get('pipelines'):
        return WorkerView(dataset.pipelines['test'][0], mode)
    return MemoryView(_size(dataset), mode)


def _size(dataset: Any) -> tuple[int, int]:
    """(H, W) of the images of the in-memory door."""
    size = dataset.get('size')
    if size is None:        # the images had one size, which only they tell
        image = DATASETS.build(dataset.source).load(0)
        size = image.size[::-1]
    return (size, size) if isinstance(size, int) else tuple(size)


def _scale(model: torch.nn.Module) -> list:
    """Mean and deviation of the preprocessor, which are not in the state dict."""
    return [getattr(model.data_preprocessor, name).tolist() for name in ('scale', 'shift')]
