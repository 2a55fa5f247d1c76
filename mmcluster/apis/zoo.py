"""Models by name: those of the metafiles that come with the package."""
from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Sequence, Union

import yaml

from mmcluster.checks import near
from mmcluster.recipes import shipped_configs

if TYPE_CHECKING:
    from PIL import Image

    from mmcluster.models import BaseClusterer


@dataclass(frozen=True)
class ModelEntry:
    """A model of a metafile.

    Attributes:
        config: File.
        method: Collection that it belongs to.
        data: Training data.
        weights: Where they are, ``None`` if there are none yet.
        results: Metrics as measured with this code, ``None`` if they were not.
    """
    config: Path
    method: str
    data: list[str]
    weights: Optional[str]
    results: Optional[list[dict[str, Any]]]


@lru_cache(maxsize=1)
def _entries() -> dict[str, ModelEntry]:
    """All models of all metafiles by name."""
    found = {}
    for file in sorted(shipped_configs().glob('metafile_*.yml')):
        for model in yaml.safe_load(file.read_text(encoding='utf-8')).get('Models') or ():
            data = (model.get('Metadata') or {}).get('Training Data') or []
            found[model['Name']] = ModelEntry(
                shipped_configs() / Path(model['Config']).name, model['In Collection'],
                [data] if isinstance(data, str) else list(data), model.get('Weights'), model.get('Results'))
    return found


def list_models(pattern: Optional[str] = None, pretrained: bool = False) -> list[str]:
    """Names of models, sorted.

    Args:
        pattern: Wildcard pattern; a part of a name suffices.
        pretrained: Only those with weights.
    """
    wanted = f'*{pattern}*' if pattern else '*'
    return sorted(name for name, entry in _entries().items()
                  if fnmatch.fnmatch(name, wanted) and (entry.weights or not pretrained))


def model_entry(name: str) -> ModelEntry:
    """What the metafiles say of a model.

    Raises:
        ValueError: If there is no such model; the message has near names.
    """
    if name not in _entries():
        raise ValueError(f'there is no model {name!r}{near(name, _entries())}; mmcluster.list_models() names all')
    return _entries()[name]


def get_model(name: str, pretrained: Union[bool, str] = False, device: Optional[str] = None,
              stage: Optional[str] = None) -> BaseClusterer:
    """Build a model by name; its data are not needed.

    Args:
        name: One of :func:`list_models`, or the file of a config.
        pretrained: ``True``: with the weights of the zoo; a path: with those of a checkpoint, all but what it keeps of
            the images that it was trained on.
        device: Where it lies; the accelerator if there is one.
        stage: Stage of a recipe; its last one by default.

    Returns:
        The model in evaluation mode, see :class:`~mmcluster.models.clusterers.base.BaseClusterer`; its ``config`` is
        the one that :func:`inference_model` reads.

    Raises:
        ValueError: If there is no such model, or no weights of it; the message says which there are.
    """
    from mmengine.config import Config

    from mmcluster.recipes.stages import read_stage

    from .opening import build_model
    file = Path(name) if Path(name).is_file() else model_entry(name).config
    checkpoint = pretrained if isinstance(pretrained, str) else None
    if pretrained is True:
        checkpoint = model_entry(name).weights
        if checkpoint is None:
            have = list_models(pretrained=True)
            raise ValueError(f'there are no weights of {name} yet ('
                             + (f'there are some of {", ".join(have)}' if have else 'the zoo has none so far')
                             + f'): train it by mmcluster train {name}, and give pretrained=CHECKPOINT')
    stages = list(Config.fromfile(file, lazy_import=False).get('stages') or ())
    cfg = read_stage(str(file), stage or (stages[-1] if stages else None))
    return build_model(cfg, checkpoint, device)


def inference_model(model: Union[BaseClusterer, str], images: Union[str, Path, Image.Image, Sequence[Any]],
                    pretrained: Union[bool, str] = True) -> list[dict[str, Any]]:
    """Clusters of images by a trained model.

    Args:
        model: What :func:`get_model` returned, or its name.
        images: A file, a PIL image, or a list of them.
        pretrained: Weights, where a name is given.

    Returns:
        For each image ``pred_cluster``, ``pred_score`` and ``scores`` (K,), numbered as the result of its training.

    Raises:
        ValueError: If an image cannot be read, or the model has neither head nor final centres.
    """
    import torch

    from mmcluster.datasets import decode_image
    from mmcluster.encoders.own import OwnEncoder, view_of
    if isinstance(model, str):
        model = get_model(model, pretrained)
    given: Sequence[Any] = images if isinstance(images, (list, tuple)) else [images]
    opened = [decode_image(image) if isinstance(image, (str, Path)) else image.convert('RGB') for image in given]
    encoder = OwnEncoder(model, view_of(model.config), type(model).__name__, '', '').to(
        next(model.parameters()).device)
    found = []
    for image in opened:
        pixels = torch.from_numpy(encoder.preprocess(image).copy()).permute(2, 0, 1)[None].to(encoder.device)
        guess = model.predict(encoder.normalised(pixels))
        found.append(dict(pred_cluster=int(guess.cluster[0]), pred_score=float(guess.score[0].max()),
                          scores=guess.score[0].cpu().numpy()))
    return found
