"""What the figures of a checkpoint have in common: command line, data, sweeps, clusters."""
from __future__ import annotations

import argparse
import glob
import os
import re
from contextlib import contextmanager
from typing import Callable, Iterator, Optional

import torch
from mmengine.config import Config, DictAction
from torch import Tensor, nn

from mmcluster.apis import open_config
from mmcluster.command_line import output_file
from mmcluster.compat import allow_pickle
from mmcluster.datasets import IndexedDataset
from mmcluster.engine.extract import extract, sweep_loader
from mmcluster.functional.clustering.kmeans import center_similarity, kmeans
from mmcluster.models.clusterers.base import num_clusters_of
from mmcluster.registry import DATASETS
from mmcluster.structures import TEST_STREAM, Key


def arguments(description: str, add_help: bool = True) -> argparse.ArgumentParser:
    """A command line with what every figure needs.

    Args:
        description: Of the tool.
        add_help: ``False`` of what sub-commands share.
    """
    parser = argparse.ArgumentParser(description=description, add_help=add_help)
    parser.add_argument('config', help='a config; of a recipe the stage is named by --stage')
    parser.add_argument('--out', type=output_file, required=True, help='PNG file')
    parser.add_argument('--stage', help='stage of a recipe')
    parser.add_argument('--data', choices=['train', 'test'], default='train', help='images of which loader')
    parser.add_argument('--batch-size', type=int, default=256)
    parser.add_argument('--allow-pickle', action='store_true', help='read a checkpoint that can run code')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='override settings, key=value')
    return parser


@contextmanager
def opened(args: argparse.Namespace) -> Iterator[tuple[Config, IndexedDataset]]:
    """Config and images that a command line names; inside, checkpoints are read as it says.

    Args:
        args: Of :func:`arguments`.
    """
    with allow_pickle(args.allow_pickle):
        cfg = open_config(args.config, args.stage, args.cfg_options)
        yield cfg, DATASETS.build(cfg[f'{args.data}_dataloader'].dataset)


class _Output(nn.Module):
    """A function of a model as an output that a sweep can ask for."""

    def __init__(self, model: nn.Module, function: Callable[[Tensor], Tensor]):
        super().__init__()
        self.model = model
        self.data_preprocessor = model.data_preprocessor
        self.rows = function


def sweep(model: nn.Module, dataset: IndexedDataset, function: Callable[[Tensor], Tensor], batch_size: int) -> Tensor:
    """Values of a function of the evaluation views of all images.

    Args:
        model: Has the preprocessor that makes the views.
        dataset: The images.
        function: (B, C, H, W) -> (B, ...).
        batch_size: Images at a time.

    Returns:
        (N, ...) float32.
    """
    return extract(_Output(model, function), sweep_loader(dataset, batch_size), len(dataset), 'rows')


def views_of(model: nn.Module, dataset: IndexedDataset, index: Tensor) -> Tensor:
    """Evaluation views (n, C, H, W) of some images (n,), on the model's device."""
    rows = dataset[[Key(i, TEST_STREAM) for i in index.tolist()]]
    return model.data_preprocessor(rows, False)['data_samples'][TEST_STREAM].views[0]


def embed_and_score(model: nn.Module, dataset: IndexedDataset, args: argparse.Namespace,
                    cfg: Config) -> tuple[Tensor, Tensor]:
    """Embedding (N, D) of all images, and how sure it is that each belongs to each cluster (N, K).

    Clusters are numbered as in the run's assignments: its final centres are in its last checkpoint.

    Args:
        model: A clusterer in evaluation mode.
        dataset: The images.
        args: ``source``: ``'head'``, ``'kmeans'``, or ``None`` for that of the run's result; ``num_clusters`` of
            k-means, ``None`` for the config's; ``batch_size``.
        cfg: Config of the run, whose first metric is its result.

    Raises:
        ValueError: If the model has no head, or k-means no number of clusters.
    """
    has_head = model.deployed()[2] is not None
    if args.source == 'head' and not has_head:
        raise ValueError(f'{type(model).__name__} has no head; take --source kmeans')
    metric = next((metric for metric in metrics_of(cfg) if metric.get('type') == 'ClusteringMetric'), {})
    source = args.source or metric.get('source', 'kmeans' if metric else 'head')
    if source == 'head' and has_head:
        width = len(model.embed(views_of(model, dataset, torch.arange(1)))[0])
        found = sweep(model, dataset, lambda x: torch.cat([part.float() for part in model.outputs(x)], 1),
                      args.batch_size)
        return found[:, :width], found[:, width:].softmax(1)
    kmeans_metric = next((one for one in metrics_of(cfg) if one.get('source', 'kmeans') == 'kmeans'), {})
    num_clusters = args.num_clusters or kmeans_metric.get('num_clusters') or num_clusters_of(model)
    if not num_clusters:
        raise ValueError('k-means needs a number of clusters: give --num-clusters')
    embed = sweep(model, dataset, model.embed, args.batch_size)
    space = kmeans_metric.get('metric', 'cosine')
    centers = model.final_centers.get(kmeans_metric.get('prefix') or 'kmeans', space)
    if centers is None or len(centers) != num_clusters:
        print('the checkpoint keeps no such centres: k-means runs, and numbers, anew')
        options = {name: kmeans_metric[name] for name in ('n_init', 'seed') if name in kmeans_metric}
        centers = kmeans(embed, num_clusters, metric=space, **options).centers
    return embed, center_similarity(embed, centers, space)


def metrics_of(cfg: Config) -> list[dict]:
    """Configs of the metrics with which a config is tested."""
    found = cfg.get('test_evaluator') or []
    return list(found) if isinstance(found, (list, tuple)) else [found]


def clusters_of(cfg: Config) -> Optional[int]:
    """Number of clusters with which a config's k-means is evaluated, else its model's, ``None`` if it does not say."""
    head = cfg.model.get('head') or {}
    places = [*metrics_of(cfg), cfg.model, head, head.get('head') or {}]
    return next((place['num_clusters'] for place in places if place.get('num_clusters')), None)


def epochs_of(work_dir: str) -> dict[int, str]:
    """Epoch -> checkpoint, in order.

    Args:
        work_dir: Of a run.

    Raises:
        FileNotFoundError: If there is none.
    """
    found = {int(re.findall(r'\d+', os.path.basename(path))[-1]): path
             for path in glob.glob(os.path.join(glob.escape(work_dir), 'epoch_*.pth'))}
    if not found:
        raise FileNotFoundError(f'{work_dir} holds no epoch_*.pth; give the work dir of a run with '
                                f'default_hooks.checkpoint.max_keep_ckpts=-1')
    return dict(sorted(found.items()))


def kept_labels(model: nn.Module, field: Optional[str], num_rows: int) -> Tensor:
    """Labels (N,) in the bank, -1 where there is none.

    Args:
        model: Has a bank with the field.
        field: Its name; ``None``: ``'target'``, or ``'label'``, as of ProPos, where there is none.
        num_rows: Images.

    Raises:
        ValueError: If there is no such field, it is of other images, or nothing was kept.
    """
    bank = getattr(model, 'bank', None)
    fills = getattr(bank, 'fills', {})
    field = field or ('label' if 'label' in fills and 'target' not in fills else 'target')
    if bank is None or field not in bank.fills:
        raise ValueError(f'{type(model).__name__} keeps no {field!r} in its bank; take the checkpoint of a booster '
                         f'with selected labels')
    label = getattr(bank, field).cpu()
    if len(label) != num_rows or not bool((label >= 0).any()):
        raise ValueError(f'bank.{field} holds {int((label >= 0).sum())} labels for {len(label)} images, the figure is '
                         f'of {num_rows}; take the checkpoint of a run on these images, after its first epoch')
    return label


def label_of_training(model: nn.Module, field: Optional[str], num_rows: int) -> Tensor:
    """Labels (N,) that the training had, -1 where there is none.

    Those of ASD are of the map of instance classes: each image has that of its last instance class.

    Args:
        model: Of a checkpoint.
        field: See :func:`kept_labels`.
        num_rows: Images.
    """
    class_map = getattr(getattr(model, 'labeller', None), 'class_map', None)
    if field is not None or class_map is None or not bool((class_map >= 0).any()):
        return kept_labels(model, field, num_rows)
    last = kept_labels(model, 'pred', num_rows)
    return torch.where(last >= 0, class_map.cpu()[last.clamp_min(0)], -1)
