"""Controls: what k-means gives without any training, on raw pixels or on features of the untrained network."""
from __future__ import annotations

import logging
import os
from typing import Callable, Optional

import numpy as np
from mmengine.config import Config
from mmengine.runner import set_random_seed
from sklearn.cluster import KMeans

from mmcluster.apis.opening import build_model
from mmcluster.datasets import IndexedDataset
from mmcluster.engine.extract import extract, sweep_loader
from mmcluster.evaluation.results import write_json
from mmcluster.functional.clustering.kmeans import kmeans
from mmcluster.functional.clustering.metrics import clustering_metrics
from mmcluster.models.clusterers.base import num_clusters_of
from mmcluster.registry import DATASETS
from mmcluster.structures import TEST_STREAM, Key


def control_metrics() -> tuple[str, ...]:
    """Prefixes under which a control stands: it has no head, so both are the same."""
    return ('kmeans', 'head')


def raw_pixels(dataset: IndexedDataset) -> np.ndarray:
    """Pixels of all images in the range of their publisher.

    That is 0 to 16 for scikit-learn's digits, which ``DigitsSource`` stretches to 0..255 and rounds, and 0 to 255 for
    all others. Rounding alone moves k-means from one optimum to another.

    Args:
        dataset: The images.

    Returns:
        (N, H * W * C) float64.
    """
    rows = dataset[[Key(i, TEST_STREAM) for i in range(len(dataset))]][TEST_STREAM].images[0].flatten(1).double()
    if dataset.metainfo['dataset'] == 'digits':
        rows = (rows * (16 / 255)).round()
    return rows.numpy()


def pixels_kmeans(dataset: IndexedDataset, num_clusters: int, seed: int) -> dict[str, float]:
    """Metrics of scikit-learn's k-means on raw pixels, 10 restarts.

    Args:
        dataset: The images.
        num_clusters: K.
        seed: Of k-means.
    """
    label = KMeans(num_clusters, n_init=10, random_state=seed).fit_predict(raw_pixels(dataset))
    assert dataset.labels is not None
    return clustering_metrics(dataset.labels, label)


def untrained_kmeans(cfg: Config, dataset: IndexedDataset, num_clusters: int, seed: int) -> dict[str, float]:
    """Metrics of k-means on the embedding by random weights.

    Args:
        cfg: Of one stage.
        dataset: The images.
        num_clusters: K.
        seed: Of weights and k-means.
    """
    set_random_seed(seed)
    logging.disable(logging.INFO)       # of every weight
    try:
        model = build_model(cfg)
    finally:
        logging.disable(logging.NOTSET)
    embed = extract(model, sweep_loader(dataset, 256), len(dataset))
    label = kmeans(embed, num_clusters, seed=seed, n_init=10).labels
    assert dataset.labels is not None
    return clustering_metrics(dataset.labels, np.asarray(label.cpu()))


def write_control(work_dir: str, kind: str, cfg: Config, seed: int,
                  edit: Optional[Callable[[Config], None]] = None) -> None:
    """Write ``summary.json`` of a control, under the names of all sources.

    Args:
        work_dir: Where it goes.
        kind: ``'pixels'`` or ``'untrained'``.
        cfg: Of the stage whose data and network are meant.
        seed: Of network and k-means.
        edit: Changes the config before.
    """
    if edit is not None:
        edit(cfg)
    dataset = DATASETS.build(cfg.val_dataloader.dataset)
    if dataset.labels is None:
        raise ValueError(f'a control needs ground truth, and {dataset.metainfo["dataset"]} has none')
    num_clusters = clusters_of(cfg)
    metrics = pixels_kmeans(dataset, num_clusters, seed) if kind == 'pixels' else untrained_kmeans(
        cfg, dataset, num_clusters, seed)
    os.makedirs(work_dir, exist_ok=True)
    write_json(os.path.join(work_dir, 'summary.json'), dict(
        metrics={f'{source}/{name}': value for source in control_metrics() for name, value in metrics.items()},
        data_fingerprint=dataset.fingerprint, num_samples=len(dataset), seed=seed))


def clusters_of(cfg: Config) -> int:
    """K of a config: that of its metrics, else its model's.

    Raises:
        ValueError: If nothing says it.
    """
    found = cfg.get('val_evaluator') or []
    head = cfg.model.get('head') or {}
    places = [*(found if isinstance(found, (list, tuple)) else [found]), cfg.model, head, head.get('head') or {}]
    stated = next((place['num_clusters'] for place in places if place.get('num_clusters')), None)
    stated = stated or num_clusters_of(build_model(cfg))
    if not stated:
        raise ValueError('a control needs a number of clusters, and the config states none')
    return stated
