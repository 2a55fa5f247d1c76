"""A folder of images in, a result folder out: find, embed, cluster, describe, write, draw the page."""
from __future__ import annotations

import hashlib
import os
import platform
from dataclasses import dataclass, replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Optional, Union

import numpy as np

from mmcluster.version import __version__

from .assigning import absolute_spec
from .exporting import FORMATS, default_file
from .folder_input import Images, check_out, default_out, find_images, no_empty_folder
from .folder_links import FOLDER, write_cluster_folders
from .folder_words import announce, changes, conclude, edited_copies, seconds_after
from .result import read_content, write_result
from .telling import Teller

if TYPE_CHECKING:
    from mmcluster.encoders import Encoder, Features

    from .features_clusterer import FeatureClusterer

PACKAGES = ('torch', 'numpy', 'scikit-learn', 'Pillow')
Clusters = Union[int, str, tuple[int, int]]


@dataclass(frozen=True)
class Settings:
    """How a folder is clustered.

    Attributes:
        clusters: K, ``'auto'`` or a range (low, high) to choose it from.
        method: See :class:`~mmcluster.apis.features_clusterer.FeatureClusterer`.
        encoder: What :func:`mmcluster.encoders.build_encoder` takes.
        train: ``True`` or a config: train the encoder on these images first, see
            :func:`~mmcluster.apis.training.train_encoder`.
        boost: Booster that goes on from the clustering on stored views of the features, ``'clusmatch'``, or ``None``.
        finetune: Booster that goes on from the clustering on the images, ``'clusmatch'``, or ``None``.
        epochs: Length of any training; ``None`` as their configs say.
        labels: See :func:`~mmcluster.apis.folder_input.find_images`; metrics alone see them.
        limit: Draw at most so many images.
        seed: Decides everything that is drawn.
        device: Where the encoder computes; ``None`` for the accelerator if there is one.
        workers: Processes that decode; ``None`` for one per processor.
        store: Folder of the feature store; ``None`` for the user's cache.
        folders: ``'link'`` or ``'copy'`` the images into a folder per cluster, or ``None``.
        page: Draw ``report.html``.
    """
    clusters: Clusters = 'auto'
    method: str = 'auto'
    encoder: str = 'default'
    train: Union[bool, str] = False
    boost: Optional[str] = None
    finetune: Optional[str] = None
    epochs: Optional[int] = None
    labels: Optional[str] = None
    limit: Optional[int] = None
    seed: int = 0
    device: Optional[str] = None
    workers: Optional[int] = None
    store: Optional[str] = None
    folders: Optional[str] = None
    page: bool = True


def cluster_folder(root: Union[str, Path], out: Union[str, Path, None] = None, settings: Optional[Settings] = None,
                   teller: Optional[Teller] = None) -> Path:
    """Cluster the images of a folder and write a result folder.

    A run that was ended goes on by the same call: features are stored in chunks on the way, a training has its
    checkpoints, everything else is computed again from them and comes out the same. What another run left in the
    result folder stays until the new result is whole.

    Args:
        root: The folder; nothing in it is changed.
        out: Folder of the result; ``clusters/<name of the folder>`` by default.
        settings: How.
        teller: Is told what happens.

    Returns:
        The folder of the result.

    Raises:
        FileNotFoundError: If there is no such folder, or no image in it.
        ValueError: If the images or settings cannot give a clustering; the message says what to do.
        OSError: If something cannot be written.
    """
    settings, teller = settings or Settings(), teller or Teller()
    if settings.finetune and (settings.train or settings.encoder != 'default'):
        raise ValueError('--finetune goes on from the default encoder: drop --encoder and --train')
    if settings.boost and settings.finetune:
        raise ValueError('--boost and --finetune both go on from the clusters: drop one')
    if settings.epochs and not (settings.train or settings.finetune or settings.boost):
        raise ValueError('--epochs is the length of a training: add --train, --boost or --finetune, or drop it')
    with teller.phase('find'):
        images = find_images(root, settings.labels, settings.limit, settings.seed)
        check_count(settings.clusters, len(images.paths), settings.limit)
    out = default_out(root) if out is None else out
    with no_empty_folder(out):
        out = check_out(out, images.root)
        from mmcluster.engine.lock import locked  # here, so that what is wrong is said before torch is imported
        with locked(str(out)):
            return _cluster(images, out, settings, teller)


def check_count(clusters: Clusters, count: int, limit: Optional[int]) -> None:
    """Refuse more clusters than images, and a single image.

    Raises:
        ValueError: With what to ask for.
    """
    if limit == 1:
        raise ValueError('--limit 1 draws one image, and clustering needs two or more: draw more of them')
    if count < 2:
        raise ValueError('there is one image, and clustering needs two or more: give a folder with more of them')
    least = clusters[0] if isinstance(clusters, tuple) else clusters
    if isinstance(least, int) and least > count:
        raise ValueError(f'{least} clusters are asked of {count} images: ask for at most {count}')


def _cluster(images: Images, out: Path, settings: Settings, teller: Teller) -> Path:
    """All that follows when the input is in order."""
    from mmcluster.encoders.chunks import KEY_BYTES
    from mmcluster.encoders.own import stages_of
    from mmcluster.encoders.peek import stored_content

    from .describe import describe_clusters
    for left in out.glob('.*.part'):        # of writers that were killed; the lock says that none is at work
        left.unlink()
    spec, boosted = absolute_spec(settings.encoder), []
    if settings.train:
        from .training import train_encoder
        with teller.phase('train'):
            spec = train_encoder(images, out, settings, teller)
    encoder, found, clusterer = _found(images, spec, settings, teller)
    if settings.boost:
        from .boosting import boost_clusters, remove_older
        with teller.phase('boost'):
            boosted = [boost_clusters(images, found, encoder, clusterer, out, settings, teller)]
    if settings.finetune:
        from .training import finetune_encoder
        with teller.phase('finetune'):
            spec = finetune_encoder(images, found.paths, clusterer.labels_, clusterer.assignment_.confidence, out,
                                    settings, teller)
        fixed = replace(settings, clusters=clusterer.n_clusters_ if settings.method != 'hdbscan' else 'auto')
        encoder, found, clusterer = _found(images, spec, fixed, teller)
    with teller.phase('describe'):
        content = stored_content(encoder, found.paths, images.root, settings.store)
        summary = dict(
            mmcluster=__version__, versions={'python': platform.python_version(),
                                             **{name: version(name) for name in PACKAGES}},
            root=str(images.root), limit=settings.limit, train=settings.train, boost=settings.boost,
            finetune=settings.finetune, training=[_relative(place, out) for place in [*stages_of(spec), *boosted]],
            encoder=dict({name: getattr(encoder, name) for name in ('name', 'digest', 'dim', 'description')},
                         spec=_relative(spec, out)),
            fingerprint=_fingerprint(found.paths, content), seconds=teller.seconds)
        label = None if images.label is None else _label_of(images.paths, images.label, found.paths)
        result = describe_clusters(clusterer, found.embed, found.paths, summary, found.unreadable, label)
        result.content = np.array([np.frombuffer(key or bytes(KEY_BYTES), np.uint8) for key in content])
    before, now = read_content(out), dict(zip(found.paths, map(bytes, result.content)))
    if before:
        result.summary['changes'] = changes(before, now)
    write_result(out, result)
    for work in boosted:        # now that no result needs the others
        remove_older(work)
    notes = []
    if settings.folders:
        with teller.phase('folders'):
            notes = edited_copies(out / FOLDER, write_cluster_folders(
                out, images.root, result.paths, result.table['cluster'], settings.folders))
    elif (out / FOLDER).is_dir():       # copies may have been edited, so nobody but the user removes them
        notes = [f'{out / FOLDER} is of an earlier clustering: --link or --copy brings it up to date']
    notes += [f'{left} is of an earlier clustering: mmcluster export brings it up to date'
              for left in (default_file(out, kind) for kind in FORMATS) if left.exists()]
    if settings.page and find_spec('mmcluster.report'):
        draw_page(out, settings.workers, teller, links=True)     # the same ones that led to the images
    conclude(result, out, teller, notes)
    return out


def _found(images: Images, spec: str, settings: Settings,
           teller: Teller) -> tuple[Encoder, Features, FeatureClusterer]:
    """Features of the images and clusters of them."""
    from mmcluster.encoders import build_encoder, embed_files

    from .choose_k import candidates, k_range
    from .features_clusterer import FeatureClusterer
    clusterer = FeatureClusterer(settings.clusters, settings.method, seed=settings.seed, progress=teller.progress)
    with teller.phase('encoder'):
        encoder = build_encoder(spec, settings.device)
        tried = 0 if isinstance(settings.clusters, int) or settings.method == 'hdbscan' else len(
            candidates(*k_range(settings.clusters, len(images.paths))))
        announce(images, encoder, settings.workers, settings.store, teller, seconds_after(len(images.paths), tried))
    with teller.phase('features'):
        found = embed_files(encoder, images.paths, images.root, settings.store, workers=settings.workers,
                            progress=lambda done, total: teller.progress('features', done, total))
    _check_readable(images, found.unreadable)
    check_count(settings.clusters, len(found.paths), settings.limit)
    with teller.phase('cluster'):
        clusterer.fit(found.embed)
    return encoder, found, clusterer


def _relative(spec: str, out: Path) -> str:
    """The same relative to the result if it lies in it, so that the result can be moved."""
    return Path(spec).relative_to(out).as_posix() if os.path.isabs(spec) and Path(spec).is_relative_to(out) else spec


def draw_page(out: Path, workers: Optional[int], teller: Teller, root: Optional[str] = None,
              links: bool = False) -> Path:
    """Draw ``report.html`` of a result folder; ``links`` out of the folder of the images are followed or not."""
    from mmcluster.report import write_report
    with teller.phase('page'):
        return write_report(out, root, workers=workers, links=links,
                            progress=lambda done, total: teller.progress('page', done, total))


def _check_readable(images: Images, unreadable: list[tuple[str, str]]) -> None:
    """Refuse a folder of which nothing, or a single image, can be read."""
    if len(images.paths) - len(unreadable) < 2:
        path, reason = unreadable[0]
        raise ValueError(f'{len(unreadable)} of {len(images.paths)} images in {images.root} cannot be read, {path} for '
                         f'instance: {reason}; put images there that can be')


def _fingerprint(paths: list[str], content: list[Optional[bytes]]) -> str:
    """Hash of names and contents of the images."""
    found = hashlib.sha256()
    for path, key in zip(paths, content):
        found.update(path.encode('utf-8', 'surrogateescape') + b'\0' + (key or b''))
    return found.hexdigest()


def _label_of(listed: list[str], label: list[str], paths: list[str]) -> list[str]:
    """Labels of the images that could be read, from those of all that are listed."""
    known = dict(zip(listed, label))
    return [known[path] for path in paths]
