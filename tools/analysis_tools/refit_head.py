"""Train a fresh cluster head of CC on its frozen features, from several starts: does its loss lead to the classes?

python tools/analysis_tools/refit_head.py CONFIG CHECKPOINT [--epochs 60] [--seed 0]

The features of 20 draws of both views are computed once. Heads start from random weights, or are first taught the
clusters of the trained head, of k-means, or the classes; then all are trained by the cluster loss alone. A start that
ends with a lower loss than the random one says that training ends in a minimum that is not the lowest. Ground truth is
read.
"""
from __future__ import annotations

import argparse
from typing import Optional

import numpy as np
import torch
from mmengine.runner import set_random_seed
from torch import Tensor
from torch.nn.functional import cross_entropy

from mmcluster.apis import open_config, open_model
from mmcluster.functional.clustering.kmeans import kmeans
from mmcluster.functional.clustering.metrics import clustering_metrics
from mmcluster.models.clusterers.two_level import TwoLevelClusterer
from mmcluster.models.head_parts import build_head
from mmcluster.registry import DATASETS
from mmcluster.structures import TEST_STREAM, Key, Rows

DRAWS, BATCH, RATE, TAUGHT = 20, 128, 1e-3, 20      # of views, rows of a step, rate of Adam, epochs with labels
Views = list[tuple[Tensor, Tensor]]


@torch.no_grad()
def features_of(model: TwoLevelClusterer, images: Tensor) -> tuple[Views, Tensor]:
    """Features of DRAWS draws of both training views, and of the plain view.

    Args:
        model: In evaluation mode.
        images: (N, H, W, C) uint8.

    Returns:
        DRAWS pairs of (N, F), and (N, F).
    """
    index = torch.arange(len(images))

    def views(stream: str, draw: int) -> list[Tensor]:
        rows = Rows([images], index, draw + index * DRAWS)
        return model.data_preprocessor({stream: rows}, stream != TEST_STREAM)['data_samples'][stream].views

    drawn = []
    for draw in range(DRAWS):
        first, second = (model.outputs(view)[0] for view in views('batch', draw)[:2])
        drawn.append((first, second))
    return drawn, model.outputs(views(TEST_STREAM, 0)[0])[0]


def mean_loss(model: TwoLevelClusterer, drawn: Views) -> float:
    """Cluster loss of the model's head, mean over whole batches of all draws; equal batches for all heads."""
    same = torch.Generator().manual_seed(0)     # the loss of a batch varies more than heads differ
    with torch.no_grad():
        return float(np.mean([model.cluster_losses(h1[rows], h2[rows])['loss_cluster'].item()
                              for h1, h2 in drawn for rows in batches(len(h1), same)]))


def batches(size: int, generator: Optional[torch.Generator] = None) -> list[Tensor]:
    """A permutation of the rows in whole batches; in one if there are fewer rows."""
    rows = torch.randperm(size, generator=generator)
    return list(rows[:size // BATCH * BATCH].split(BATCH)) or [rows]


def refit(model: TwoLevelClusterer, drawn: Views, label: Optional[Tensor], epochs: int) -> None:
    """Teach the model's head labels, if there are any, then train it by the cluster loss.

    Args:
        model: Its head is trained in place, nothing else.
        drawn: See :func:`features_of`.
        label: (N,) long; ``None`` begins with the loss at once.
        epochs: With the loss.
    """
    optimizer = torch.optim.Adam(model.head.parameters(), lr=RATE)
    taught = 0 if label is None else TAUGHT
    for epoch in range(taught + epochs):
        h1, h2 = drawn[epoch % DRAWS]
        for rows in batches(len(h1)):
            if label is not None and epoch < taught:
                first, second = (cross_entropy(model.head(h[rows]), label[rows]) for h in (h1, h2))
                loss = first + second
            else:
                loss = model.cluster_losses(h1[rows], h2[rows])['loss_cluster']
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def main() -> None:
    """Print a line for each start."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', help='of CC, or of another method with its cluster loss')
    parser.add_argument('checkpoint')
    parser.add_argument('--epochs', type=int, default=60)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    cfg = open_config(args.config)
    data = DATASETS.build(cfg.val_dataloader.dataset)
    images = torch.as_tensor(data[[Key(i, TEST_STREAM) for i in range(len(data))]][TEST_STREAM].images[0])
    model = open_model(cfg, args.checkpoint)
    if not isinstance(model, TwoLevelClusterer):
        raise ValueError(f'{args.config} trains a {type(model).__name__}, which has no cluster loss of CC')
    drawn, plain = features_of(model, images)
    own = model.head(plain).argmax(1)
    found = torch.as_tensor(kmeans(plain, model.num_clusters, seed=args.seed).labels).long()
    starts = {'random weights': None, "its own head's clusters": own, 'k-means clusters': found,
              'classes': torch.as_tensor(data.labels).long()}

    def said() -> str:
        accuracy = clustering_metrics(data.labels, model.head(plain).argmax(1).numpy())['acc']
        return f'ACC {accuracy:.3f}, loss {mean_loss(model, drawn):.4f}'

    print(f'trained head: {said()}')
    for name, label in starts.items():
        set_random_seed(args.seed)
        model.head = build_head(cfg.model.head, model.backbone, model.neck)
        refit(model, drawn, label, args.epochs)
        print(f'from {name}: {said()}')


if __name__ == '__main__':
    main()
