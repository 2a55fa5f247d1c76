"""Show how good every head of a run was after each epoch, and which one was kept.

python tools/analysis_tools/head_selection.py CONFIG WORK_DIR --out heads.png [--stage NAME]

For every ``epoch_*.pth`` of the work dir: ACC of all heads of a SPICE or SCAN, and of the network that the label-free
selection had kept by then, which is marked where it changed. Train with default_hooks.checkpoint.interval=1 and
max_keep_ckpts=-1 to have every epoch. Ground truth is read for the figure only; the selection never saw it.
"""
from __future__ import annotations

import argparse
from typing import NamedTuple

import matplotlib
import numpy as np
import torch
from opened import arguments, epochs_of, opened, sweep
from torch import Tensor

from mmcluster.apis import load_weights, open_model
from mmcluster.datasets import IndexedDataset
from mmcluster.functional.clustering.metrics import clustering_metrics
from mmcluster.models import MultiHeadClusterer

matplotlib.use('Agg')
from matplotlib import pyplot as plt


class Epoch(NamedTuple):
    """What one checkpoint holds.

    Attributes:
        epoch: Epochs done.
        heads: ACC of each head.
        kept: ACC of the kept network.
        index: Which head it was.
        loss: Its label-free loss.
    """
    epoch: int
    heads: list[float]
    kept: float
    index: int
    loss: float


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument('work_dir', help='folder with epoch_*.pth')
    return parser.parse_args()


def measure(model: MultiHeadClusterer, dataset: IndexedDataset, epoch: int, batch_size: int) -> Epoch:
    """ACC of all heads and of the kept one.

    Args:
        model: In evaluation mode.
        dataset: Images with ground truth.
        epoch: Epochs done.
        batch_size: Images at a time.
    """
    def clusters(x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, H + 1), the kept network last."""
        embed = model.features(x)
        kept = model.best_so_far.head(embed) if model.best_so_far.names == ['head'] else model.logits(x)
        return torch.cat([model.head(embed), kept[None].float()]).argmax(2).T.float()

    found = sweep(model, dataset, clusters, batch_size).long().cpu().numpy()
    acc = [clustering_metrics(dataset.labels, column, ami=False)['acc'] for column in found.T]
    return Epoch(epoch, acc[:-1], acc[-1], int(model.best_so_far.head_index), float(model.best_so_far.loss))


def draw(epochs: list[Epoch], path: str) -> None:
    """Write the figure.

    Args:
        epochs: In order.
        path: Image file.
    """
    numbers = [epoch.epoch for epoch in epochs]
    changed = [i for i, epoch in enumerate(epochs) if i == 0 or epoch.loss != epochs[i - 1].loss]
    figure, axis = plt.subplots(figsize=(7, 4.2))
    for number, values in enumerate(np.array([epoch.heads for epoch in epochs]).T):
        axis.plot(numbers, values, color='0.6', linewidth=1, label='heads' if number == 0 else None)
    axis.plot(numbers, [epoch.kept for epoch in epochs], color='tab:red', label='kept')
    axis.plot([numbers[i] for i in changed], [epochs[i].kept for i in changed], '*', color='tab:red', markersize=10,
              label='newly kept')
    axis.set(xlabel='epoch', ylabel='ACC')
    axis.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main() -> None:
    """Measure every checkpoint, print a line for each, draw."""
    args = parse_args()
    files, epochs = epochs_of(args.work_dir), []
    with opened(args) as (cfg, dataset):
        model = open_model(cfg)
        if not isinstance(model, MultiHeadClusterer):
            raise ValueError(f'{type(model).__name__} has no heads to choose from; take a run of SPICE or SCAN')
        if dataset.labels is None:
            raise ValueError('ACC needs data with ground truth; for its loss alone see the log of the run')
        for number, path in files.items():
            load_weights(model, path)
            epochs.append(measure(model, dataset, number, args.batch_size))
            now = epochs[-1]
            print(f'epoch {number}: ACC of the heads {min(now.heads):.3f} to {max(now.heads):.3f}, kept head '
                  f'{now.index} {now.kept:.3f}, loss {now.loss:.4f}')
    draw(epochs, args.out)
    print(args.out)


if __name__ == '__main__':
    main()
