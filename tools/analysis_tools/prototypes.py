"""Show the images that stand for each cluster, and where in them its prototype is found.

python tools/analysis_tools/prototypes.py CONFIG CHECKPOINT --out prototypes.png [--attention] [--top 3] [--stage NAME]

A prototype is the mean embedding of the surest images of a cluster over the whole set (SPICE section III-B with M = N);
beside it the images nearest to it, a row a cluster. With --attention every image is followed by the similarity of its
places to the prototype, from blue to red, as in the paper's Fig. 5. Where the method has a neck, this second prototype
is the mean of the same members before the neck, in the space of the backbone's last map.
"""
from __future__ import annotations

import argparse

import numpy as np
import torch
from opened import arguments, embed_and_score, opened, views_of
from PIL import Image
from torch import Tensor, nn

from mmcluster.apis import open_model
from mmcluster.datasets import IndexedDataset
from mmcluster.visualization import (Prototypes, attention, feature_map, find_prototypes, image_grid, map_centers,
                                     overlay, to_pixels)


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument('checkpoint')
    parser.add_argument('--top', type=int, default=3, help='images for each prototype')
    parser.add_argument('--center-ratio', type=float, default=0.5,
                        help='share of the N / K images of a cluster that make its prototype')
    parser.add_argument('--source', choices=['head', 'kmeans'], help='what says how sure an image is; default: what '
                        'the result of the run is of')
    parser.add_argument('--num-clusters', type=int, help="of k-means; default: the config's")
    parser.add_argument('--attention', action='store_true', help='show where the prototype is found')
    parser.add_argument('--metric', choices=['cosine', 'dot'], default='cosine', help='of the attention')
    parser.add_argument('--side', type=int, default=96, help='magnify images to at least as many pixels')
    return parser.parse_args()


def heat_of(model: nn.Module, dataset: IndexedDataset, found: Prototypes, views: Tensor,
            args: argparse.Namespace) -> Tensor:
    """Attention (K * n, H, W) of the prototypes in their top images.

    Args:
        model: The clusterer.
        dataset: The images.
        found: The prototypes.
        views: (K * n, C, H, W) evaluation views of the top images.
        args: Command line.
    """
    backbone = model.deployed()[0]
    vectors = [feature_map(backbone, views_of(model, dataset, rows)).mean(dim=(2, 3))
               for rows in found.members.flatten().split(args.batch_size)]
    centers = map_centers(torch.cat(vectors).view(*found.members.shape, -1), args.metric)
    cluster = torch.arange(len(centers)).repeat_interleave(found.top.shape[1])
    return attention(centers, feature_map(backbone, views), cluster, views.shape[2:], args.metric)


def draw(args: argparse.Namespace) -> np.ndarray:
    """The figure, (height, width, 3) uint8; says which images it shows."""
    with opened(args) as (cfg, dataset):
        model = open_model(cfg, args.checkpoint)
    embed, score = embed_and_score(model, dataset, args, cfg)
    found = find_prototypes(embed, score, args.top, args.center_ratio)
    for cluster, rows in enumerate(found.top.tolist()):
        names = [dataset.paths[row] if dataset.paths else str(row) for row in rows]
        print(f'cluster {cluster}: {", ".join(names)}')
    views = views_of(model, dataset, found.top.flatten())
    pixels = to_pixels(views, model.data_preprocessor)
    columns = [pixels]
    if args.attention:
        columns.append(overlay(pixels, heat_of(model, dataset, found, views, args).cpu().numpy()))
    images = np.stack(columns, 1).reshape(len(found.top), -1, *pixels.shape[1:])
    return image_grid(images, args.side)


def main() -> None:
    """Draw and write."""
    args = parse_args()
    Image.fromarray(draw(args)).save(args.out)
    print(args.out)


if __name__ == '__main__':
    main()
