"""A booster on stored views of features: minutes on a CPU, where one on the images trains their network."""
from __future__ import annotations

import hashlib
import io
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmcluster.writing import whole_file

from .feature_heads import Head
from .feature_reducer import FeatureReducer
from .features import with_drawn_views
from .folder_input import TRAINING, Images
from .telling import Teller
from .training import run_stages, sure_rows

if TYPE_CHECKING:
    from mmcluster.encoders import Encoder, Features

    from .features_clusterer import FeatureClusterer
    from .folder import Settings

BOOSTERS = dict(clusmatch='features/clusmatch')
DRAWS = 1                       # weak and strong views of every image: each costs what its features cost


def boost_clusters(images: Images, found: Features, encoder: Encoder, clusterer: FeatureClusterer, out: Path,
                   settings: Settings, teller: Teller) -> str:
    """Train the linear map and head of a clustering further, with the surest rows of every cluster as labels.

    Args:
        images: What is clustered.
        found: Features (N, D) of the images.
        encoder: That made them.
        clusterer: Fitted on them; it goes on with what was learnt.
        out: Folder of the result; the training has its work dir in it, and goes on there.
        settings: ``boost`` names the booster.
        teller: Is told what happens.

    Returns:
        The work dir.

    Raises:
        ValueError: If the rows of the clustering have no unit length, or there is a single cluster.
    """
    if not clusterer.reducer_.unit_ or clusterer.n_clusters_ < 2:
        raise ValueError('--boost needs two clusters or more, in at least 8 dimensions: there are '
                         f'{clusterer.n_clusters_} in {clusterer.reduced_.shape[1]}; drop it')
    assert settings.boost is not None
    views = with_drawn_views(found, encoder, images.root, DRAWS, settings.store, settings.workers, teller)
    reducer, model = clusterer.reducer_, clusterer.model_
    given = dict(
        features=_npy(views.embed), targets=_npy(sure_rows(clusterer.labels_, clusterer.assignment_.confidence)),
        start=_pth(reducer.weight_.T, -reducer.mean_ @ reducer.weight_), head=_pth(model.weight.T, model.bias))
    # a work dir of its own for all that decides the training: one of other images or settings is not gone on with
    said = hashlib.blake2b(repr((settings.seed, settings.epochs)).encode(), digest_size=8)
    for content in given.values():
        said.update(content)
    folder = out / TRAINING / f'boost-{said.hexdigest()}'
    folder.mkdir(parents=True, exist_ok=True)
    files = {key: folder / f'{key}.{"pth" if key in ("start", "head") else "npy"}' for key in given}
    for key, content in given.items():
        with whole_file(files[key]) as stream:
            stream.write(content)
    teller.line(f'boosting in {folder}; the log says how long it takes')
    facts = dict({key: str(file) for key, file in files.items()}, columns=found.embed.shape[1],
                 num_clusters=clusterer.n_clusters_)
    network = dict.fromkeys(('width', 'embed'), clusterer.reduced_.shape[1])
    stages = dict(boost=dict(parts=[BOOSTERS[settings.boost]], facts=facts, options=dict(network=network)))
    work = Path(run_stages(stages, folder, settings, teller))
    files['features'].unlink()          # large, and the store can make it again
    clusterer.refine(found.embed, *learnt(work, reducer))
    return str(work)


def remove_older(work: str) -> None:
    """Remove what boosters of other images or settings left beside the one that the result is made with.

    Args:
        work: Work dir of that one, as :func:`boost_clusters` returned it.
    """
    own = next(folder for folder in Path(work).parents if folder.name.startswith('boost-'))
    for old in own.parent.glob('boost-*'):
        if old != own:
            shutil.rmtree(old)


def _npy(array: np.ndarray) -> bytes:
    """An array as a file."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def _pth(weight: np.ndarray, bias: np.ndarray) -> bytes:
    """A linear layer as a checkpoint of a module that calls it ``fc``."""
    import torch
    stream = io.BytesIO()
    torch.save({'fc.weight': torch.from_numpy(np.ascontiguousarray(weight, np.float32)),
                'fc.bias': torch.from_numpy(np.ascontiguousarray(bias, np.float32))}, stream)
    return stream.getvalue()


def learnt(work: Path, reducer: FeatureReducer) -> tuple[FeatureReducer, Head]:
    """What a booster made of a reducer, and its head.

    Args:
        work: Work dir of the booster.
        reducer: What its map was started from.

    Returns:
        The averaged map as a reducer of unit rows, and the averaged head.
    """
    from mmcluster.compat import load_checkpoint_file
    from mmcluster.engine.resume import latest_checkpoint
    last = latest_checkpoint(str(work))
    assert last is not None     # the training is done
    state = load_checkpoint_file(last)['state_dict']
    weight, bias = (state[f'teacher.backbone.fc.{name}'].double().numpy() for name in ('weight', 'bias'))
    made = FeatureReducer(reducer.dims)
    # the centre nearest to the old one that gives this bias
    made.mean_ = reducer.mean_ - np.linalg.pinv(weight) @ (bias + weight @ reducer.mean_)
    made.weight_, made.unit_, made.reason_ = weight.T.copy(), True, f'{reducer.reason_[:-1]}, boosted.'
    return made, Head(state['teacher.head.fc.weight'].T.contiguous(), state['teacher.head.fc.bias'])
