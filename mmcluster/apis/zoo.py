"""Models by name: those of the metafiles that come with the package, and of a zoo of one's own."""
from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Sequence, Union

import yaml

from mmcluster.checks import near
from mmcluster.recipes import config_file

from .weights import fetch, metafiles

BATCH = 32

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from mmcluster.models import BaseClusterer


@dataclass(frozen=True)
class ModelEntry:
    """A model of a metafile.

    Attributes:
        config: File.
        method: Collection that it belongs to.
        data: Training data.
        home: Folder or address that the weights are below.
        weights: Where they are, ``None`` if there are none yet.
        sha256: Their digest.
        size: Their bytes.
        license: Of the weights.
        results: Metrics as measured with this code, ``None`` if they were not.
    """
    config: Path
    method: str
    data: list[str]
    home: str
    weights: Optional[str]
    sha256: Optional[str]
    size: Optional[int]
    license: Optional[str]
    results: Optional[list[dict[str, Any]]]

    def fetch(self) -> str:
        """A local file of the weights, of which the digest is right."""
        assert self.weights is not None and self.sha256 is not None     # who has none is refused before
        return fetch(self.weights, self.home, self.sha256)


@lru_cache(maxsize=1)
def _entries() -> dict[str, ModelEntry]:
    """All models of all metafiles by name."""
    found = {}
    for home, text in metafiles():
        for model in yaml.safe_load(text).get('Models') or ():
            data = (model.get('Metadata') or {}).get('Training Data') or []
            below = Path(home) / model['Config']        # of a zoo of one's own; else the name of a shipped one
            found[model['Name']] = ModelEntry(
                below if below.is_file() else config_file(Path(model['Config']).stem), model['In Collection'],
                [data] if isinstance(data, str) else list(data), home, model.get('Weights'), model.get('SHA256'),
                model.get('Size'), model.get('License'), model.get('Results'))
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


def zoo_checkpoint(name: str) -> str:
    """A local file with the weights of a model of the zoo, its digest compared.

    Raises:
        ValueError: If there is no such model, or no weights of it, or the file is not the published one.
    """
    entry = model_entry(name)
    if entry.weights is None:
        have = list_models(pretrained=True)
        raise ValueError(f'there are no weights of {name} yet ('
                         + (f'there are some of {", ".join(have)}' if have else 'the zoo has none so far')
                         + f'): train it by mmcluster train {name}, and give pretrained=CHECKPOINT')
    return entry.fetch()


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
    from mmcluster.recipes.stages import read_stage

    from .opening import build_model
    file = Path(name) if Path(name).is_file() else model_entry(name).config
    checkpoint = pretrained if isinstance(pretrained, str) else None
    if pretrained is True:
        checkpoint = zoo_checkpoint(name)
    cfg = read_stage(str(file), stage or last_stage(file))
    return build_model(cfg, checkpoint, device)


def last_stage(file: Path) -> Optional[str]:
    """The stage of a recipe whose model is its result; ``None`` of a plain config."""
    from mmcluster.recipes import read_config
    stages = list(read_config(file).get('stages') or ())
    return stages[-1] if stages else None


def inference_model(model: Union[BaseClusterer, str], images: Union[str, Path, Image.Image, np.ndarray, Sequence[Any]],
                    pretrained: Union[bool, str] = True) -> list[dict[str, Any]]:
    """Clusters of images by a trained model.

    Args:
        model: What :func:`get_model` returned, or its name.
        images: A file, a PIL image, a uint8 array (H, W), (H, W, 3) or (H, W, 4), or a list of them.
        pretrained: Weights, where a name is given.

    Returns:
        For each image ``pred_cluster``, ``pred_score`` and ``scores`` (K,), numbered as the result of its training. The
        model stays as it is.

    Raises:
        ValueError: If an image cannot be read, or the model has neither head nor final centres.
    """
    import torch

    from mmcluster.encoders.own import normalised, stacked, view_of
    if isinstance(model, str):
        model = get_model(model, pretrained)
    given: Sequence[Any] = images if isinstance(images, (list, tuple)) else [images]
    view, device, found = view_of(model.config), next(model.parameters()).device, []
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        for start in range(0, len(given), BATCH):
            pixels = stacked(view, [_opened(image) for image in given[start:start + BATCH]]).to(device)
            with torch.inference_mode():
                guess = model.predict(normalised(model, view, pixels))
            found += [dict(pred_cluster=int(score.argmax()), pred_score=float(score.max()), scores=score)
                      for score in guess.score.cpu().numpy()]
    finally:
        for module, training in modes.items():
            module.training = training
    return found


def _opened(image: Any) -> Image.Image:
    """A file, an image or an array as RGB."""
    import numpy as np

    from mmcluster.datasets.decode import decode_image, eight_bit
    if isinstance(image, (str, Path)):
        return decode_image(image)
    if not isinstance(image, np.ndarray):
        return eight_bit(image)
    from .inputs import image_of
    if image.dtype != np.uint8 or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (3, 4))):
        raise ValueError('inference_model takes uint8 arrays (H, W), (H, W, 3) or (H, W, 4), or a list of them, not '
                         f'{image.dtype} {image.shape}: list(images) makes a list of a stack')
    return eight_bit(image_of(image))
