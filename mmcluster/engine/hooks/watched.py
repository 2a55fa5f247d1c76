"""Clusters as pictures where a run is watched: TensorBoard, W&B, MLflow and other backends of mmengine's visualiser."""
from __future__ import annotations

from typing import Optional

import numpy as np
import torch
from mmengine.runner import Runner
from mmengine.visualization import BaseVisBackend, LocalVisBackend, MLflowVisBackend

from mmcluster.evaluation.clustering import Assignments, ClusteringMetric
from mmcluster.structures import TEST_STREAM, Key

from ..extract import unwrap

CLUSTERS, IMAGES = 20, 8        # shown at most, and of each


def show_clusters(runner: Runner) -> None:
    """Give the surest images of the clusters and the sizes of the clusters to every backend but the local one.

    The numbers of an evaluation reach all backends by mmengine's ``LoggerHook``. Runs without another backend pay
    nothing, and the config of a run does not change with what watches it.

    Args:
        runner: After an evaluation, on the main process.

    Edge case: pictures that cannot be drawn, or not sent to a backend, are told of; the others are sent, and training
    goes on.
    """
    backends = [backend for backend in runner.visualizer._vis_backends.values()
                if not isinstance(backend, LocalVisBackend)]
    try:
        pictures = _pictures(runner) if backends else {}
    except Exception as error:      # drawing, which training must survive
        runner.logger.warning(f'clusters are not shown: {type(error).__name__}: {error}')
        return
    for backend in backends:
        try:
            for name, picture in pictures.items():
                backend.add_image(_name_for(backend, name, runner.epoch), picture, step=runner.epoch)
        except Exception as error:      # what its server makes of it
            runner.logger.warning(f'clusters are not shown by {type(backend).__name__}: '
                                  f'{type(error).__name__}: {error}')


def _name_for(backend: BaseVisBackend, name: str, epoch: int) -> str:
    """Name of a picture: a file for MLflow, which knows no steps of pictures and tells their format by the name."""
    return f'{name}_{epoch}.png' if isinstance(backend, MLflowVisBackend) else name


def _pictures(runner: Runner) -> dict[str, np.ndarray]:
    """Sizes and clusters of each clustering metric, as pixels (H, W, 3)."""
    pictures = {}
    for metric in runner.val_evaluator.metrics:
        if not isinstance(metric, ClusteringMetric) or metric.assignments is None:
            continue
        pictures[f'{metric.prefix}/sizes'] = _sizes(metric.assignments)
        gallery = _gallery(runner, metric.assignments)
        if gallery is not None:
            pictures[f'{metric.prefix}/clusters'] = gallery
    return pictures


def _sizes(found: Assignments) -> np.ndarray:
    """Bars of the sizes of all clusters, as pixels (H, W, 3)."""
    # matplotlib is imported by runs that are watched alone
    from mmcluster.visualization import plots
    count = torch.bincount(found.cluster)
    return plots.pixels_of(plots.bars({'': {'images': count.numpy()}}, {'': list(map(str, range(len(count))))}))


def _gallery(runner: Runner, found: Assignments) -> Optional[np.ndarray]:
    """A row of images for each cluster, the surest first, as pixels (H, W, 3); ``None`` of data that are no images."""
    from mmcluster.visualization import image_grid, to_pixels
    rows = []
    for cluster in range(min(int(found.cluster.max()) + 1, CLUSTERS)):
        own = (found.cluster == cluster).nonzero().flatten()
        own = own[found.confidence[own].argsort(descending=True, stable=True)[:IMAGES]]
        rows.append(torch.nn.functional.pad(found.index[own], (0, IMAGES - len(own)), value=-1))
    chosen = torch.stack(rows)
    preprocessor = unwrap(runner.model).data_preprocessor
    keys = [Key(max(index, 0), TEST_STREAM) for index in chosen.flatten().tolist()]
    views = preprocessor(runner.val_dataloader.dataset[keys], False)['data_samples'][TEST_STREAM].views[0]
    if views.dim() != 4 or views.shape[1] not in (1, 3):
        return None
    tiles = to_pixels(views, preprocessor)
    tiles = tiles.reshape(*chosen.shape, *tiles.shape[1:])
    tiles[(chosen < 0).numpy()] = 1.
    return image_grid(tiles, 32)
