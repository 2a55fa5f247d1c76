"""An encoder that is trained on the images of a folder: from scratch, or from the clusters that were found."""
from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator, Optional

import numpy as np

from mmcluster.writing import whole_file

from .folder_input import TRAINING, Images
from .telling import Teller

if TYPE_CHECKING:
    from mmengine.config import Config

    from .folder import Settings

DEFAULT_FAMILY = 'cc'
OF_FAMILY = 'cnn_sign_digits'       # the part of a family that is made for few small photographs and a CPU
BOOSTERS = dict(clusmatch='folder/clusmatch_lite0')
SURE_SHARE = 0.2        # of each cluster, that a booster trusts
BATCH = 128
UNKNOWN_K = 30          # of the method's own head, where K is chosen afterwards


def train_encoder(images: Images, out: Path, settings: Settings, teller: Teller) -> str:
    """Train an encoder from random weights by a recipe of the house.

    Args:
        images: What is clustered.
        out: Folder of the result; the training has its work dir in it, and goes on there.
        settings: ``train`` is ``True`` or the name of a family, such as ``'byol'``, for a small network that a CPU can
            train, or a config whose data set is the folder that the environment variable ``IMAGES`` names.
        teller: Is told what happens.

    Returns:
        The work dir, which is the specification of the encoder.
    """
    folder, count = out / TRAINING, _count(settings)
    teller.line(f'{len(images.paths):,} images; an encoder is trained on them first, in {folder}; the log says how '
                'long it takes')
    family = DEFAULT_FAMILY if settings.train is True else settings.train
    if family in families():
        from mmcluster.datasets.listed import ListedSource
        facts = _data_facts(images, folder)
        readable = len(ListedSource(**facts).paths)
        facts |= dict(num_clusters=count, batch=min(BATCH, readable))
        stages = dict(scratch=dict(parts=['folder/small', f'{family}/{OF_FAMILY}'], facts=facts))
        return run_stages(stages, folder, settings, teller)
    from mmcluster.recipes import config_file, read_config
    if settings.limit:
        raise ValueError('--limit draws images, which a recipe that reads the folder itself cannot know: drop one')
    assert isinstance(settings.train, str)      # or nothing is trained
    try:
        file = config_file(settings.train)
    except FileNotFoundError as error:
        raise FileNotFoundError(f'{error}, or of a method: {", ".join(families())}') from None
    with _environment(IMAGES=str(images.root), CLUSTERS=str(count)):
        cfg = read_config(file)
        recipe = cfg if 'stages' in cfg else _recipe(dict(scratch=dict(config=str(file.absolute()))))
        return run_recipe(recipe, folder, settings, teller)


def families() -> list[str]:
    """Names of the methods that can train a small network on a folder."""
    from mmcluster.recipes import PartReader
    return [name.partition('/')[0] for name in PartReader().names() if name.endswith(f'/{OF_FAMILY}')
            and not name.startswith('data/')]


def finetune_encoder(images: Images, paths: list[str], cluster: np.ndarray, confidence: np.ndarray, out: Path,
                     settings: Settings, teller: Teller) -> str:
    """Go on from a clustering on the images: a booster trusts the surest rows of every cluster.

    Args:
        images: What is clustered.
        paths: N images that could be read.
        cluster: (N,) clusters, -1 for none.
        confidence: (N,) of them.
        out: See :func:`train_encoder`.
        settings: ``finetune`` names the booster.
        teller: Is told what happens.

    Returns:
        The work dir, which is the specification of the encoder.
    """
    import torch

    from mmcluster.encoders.embedded import embedded_network
    assert settings.finetune is not None
    folder = out / TRAINING
    teller.line(f'fine-tuning in {folder}; the log says how long it takes')
    folder.mkdir(parents=True, exist_ok=True)
    weights, targets = folder / 'weights.pth', folder / 'targets.npy'
    _write(weights, lambda stream: torch.save(embedded_network().state_dict(), stream))
    _write(targets, lambda stream: np.save(stream, sure_rows(cluster, confidence), allow_pickle=False))
    facts = dict(_data_facts(images, folder, paths), num_clusters=int(cluster.max()) + 1, weights=str(weights),
                 targets=str(targets))
    stages = dict(clusmatch=dict(parts=[BOOSTERS[settings.finetune]], facts=facts))
    return run_stages(stages, folder, settings, teller)


def sure_rows(cluster: np.ndarray, confidence: np.ndarray, share: float = SURE_SHARE) -> np.ndarray:
    """Labels (N,) of the surest rows of every cluster, -1 elsewhere; at least one of each.

    Args:
        cluster: (N,), -1 for none.
        confidence: (N,).
        share: Of each cluster.
    """
    target = np.full(len(cluster), -1, np.int64)
    for own in range(int(cluster.max()) + 1):
        rows = np.flatnonzero(cluster == own)
        rows = rows[np.argsort(-confidence[rows], kind='stable')][:max(1, int(share * len(rows)))]
        target[rows] = own
    return target


def _count(settings: Settings) -> int:
    """Number of clusters that a method with a head is trained for."""
    given = settings.clusters[1] if isinstance(settings.clusters, tuple) else settings.clusters
    return UNKNOWN_K if isinstance(given, str) else int(given)


def _data_facts(images: Images, folder: Path, paths: Optional[list[str]] = None) -> dict[str, Any]:
    """Facts about the data, with the list of the images in a file."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = json.dumps(images.paths if paths is None else paths).encode()
    _write(folder / 'images.json', lambda stream: stream.write(listed))
    return dict(root=str(images.root), files=str(folder / 'images.json'))


def _write(path: Path, write: Any) -> None:
    """Write a file whole."""
    with whole_file(path) as stream:
        write(stream)


def run_stages(stages: dict[str, Any], folder: Path, settings: Settings, teller: Teller) -> str:
    """Train stages of shipped parts; see :func:`run_recipe`."""
    return run_recipe(_recipe(stages), folder, settings, teller)


def _recipe(stages: dict[str, Any]) -> Config:
    """A recipe that has nothing beside its stages."""
    from mmengine.config import Config
    return Config(dict(stages=stages))


def run_recipe(cfg: Config, folder: Path, settings: Settings, teller: Teller) -> str:
    """Train the stages of a recipe, or go on with them.

    Args:
        cfg: The recipe; its work dir and seed are set here.
        folder: Work dir of it.
        settings: Seed and length.
        teller: Is kept quiet.

    Returns:
        The work dir of the last stage.

    Raises:
        ValueError: If the folder holds a training of other images or settings.
    """
    from mmcluster.recipes.changes import ChangedConfigError
    from mmcluster.recipes.length import set_epochs
    from mmcluster.recipes.recipe import run
    cfg.work_dir, cfg.randomness = str(folder), dict(cfg.get('randomness') or {}, seed=settings.seed)

    def edit(stage: Config) -> None:
        """Shorten a stage, if the user asked for it."""
        if settings.epochs is not None:
            set_epochs(stage, settings.epochs)

    try:
        with teller.muted():
            return str(Path(run(cfg, edit=edit)[list(cfg.stages)[-1]]).parent)
    except ChangedConfigError as error:     # an older result may need that encoder, so nobody but the user removes it
        changed = ', '.join(error.differences[:3])
        raise ValueError(f'{folder} was trained on other images or with other settings ({changed}): give --out another '
                         f'folder, remove {folder} to train anew, or cluster with what is there by --encoder '
                         f'{folder} instead of a training') from error


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Set environment variables, which configs of folders read, for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
