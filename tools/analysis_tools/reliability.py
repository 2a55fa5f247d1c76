"""Show which images of a data set were trusted: t-SNE of all of them, and of those whose label was kept.

python tools/analysis_tools/reliability.py CONFIG CHECKPOINT --out reliable.png [--stage NAME] [--max-samples 5000]

The checkpoint's bank holds the kept labels in ``target`` (a booster with selected labels, such as SPICE's joint stage)
or, where there is none, the clusters of the last E-step in ``label`` (ProPos).
Both panels show one layout of the embedding, by cosine: on the left the clusters of all images, on the right the labels
of the kept ones. --features shows the embedding of another network, such as the one that the selection looked at.
Ground truth is read for the captions only.
"""
from __future__ import annotations

import argparse
from typing import Optional

import matplotlib
import numpy as np
import torch
from opened import arguments, embed_and_score, kept_labels, opened, sweep
from torch import Tensor

from mmcluster.apis import open_config, open_model
from mmcluster.functional.clustering.metrics import clustering_metrics
from mmcluster.visualization import layout

matplotlib.use('Agg')
from matplotlib import pyplot as plt


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument('checkpoint')
    parser.add_argument('--features', nargs='+', metavar=('CONFIG', 'CHECKPOINT'),
                        help='embed by this network; a third word names the stage of a recipe')
    parser.add_argument('--field', help="bank field of the kept labels; default: target, or label where there is none")
    parser.add_argument('--max-samples', type=int, default=5000, help='images in the figure, drawn at random')
    parser.add_argument('--source', choices=['head', 'kmeans'], help='of the clusters of all images; default: what '
                        'the result of the run is of')
    parser.add_argument('--num-clusters', type=int, help="of k-means; default: the config's")
    parser.add_argument('--perplexity', type=float, default=30.)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    if args.features and len(args.features) not in (2, 3):
        parser.error('--features takes a config, a checkpoint and, of a recipe, a stage')
    return args


def caption(title: str, label: Tensor, truth: Optional[np.ndarray]) -> str:
    """Title of a panel: how many rows it shows and, with ground truth, how many of them are right.

    Args:
        title: What the rows are.
        label: (N,) clusters, -1 is no row.
        truth: (N,) ground truth, -1 where unknown, or ``None``.
    """
    rows = (label >= 0).numpy()
    text = f'{int(rows.sum())} {title}'
    if truth is not None and (truth[rows] >= 0).any():
        text += f', ACC {clustering_metrics(truth[rows], label.numpy()[rows], ami=False)["acc"]:.3f}'
    return text


def main() -> None:
    """Embed, draw, write."""
    args = parse_args()
    with opened(args) as (cfg, dataset):
        model = open_model(cfg, args.checkpoint)
        kept = kept_labels(model, args.field, len(dataset))
        other = open_model(open_config(args.features[0], *args.features[2:]), args.features[1]) if args.features \
            else None
    embed, score = embed_and_score(model, dataset, args, cfg)
    if other is not None:
        embed = sweep(other, dataset, other.embed, args.batch_size)
    cluster = score.argmax(1).cpu()
    generator = torch.Generator().manual_seed(args.seed)
    shown = torch.randperm(len(dataset), generator=generator)[:args.max_samples]
    places = layout(embed[shown.to(embed.device)], 'tsne', args.perplexity, args.seed)
    figure, axes = plt.subplots(1, 2, figsize=(11, 5.5))
    for axis, title, label in zip(axes, ('images', 'kept images'), (cluster, kept)):
        rows = (label[shown] >= 0).numpy()
        axis.scatter(*places[rows].T, c=label[shown][rows], s=4, cmap='tab20', vmin=0, vmax=max(19, score.shape[1] - 1),
                     linewidths=0)
        axis.set(title=caption(title, label, dataset.labels), xticks=[], yticks=[], xlim=axes[0].get_xlim(),
                 ylim=axes[0].get_ylim())
        print(axis.get_title())
    figure.tight_layout()
    figure.savefig(args.out, dpi=120)
    print(args.out)


if __name__ == '__main__':
    main()
