"""Sub-commands of analyse.py that show images: of clusters, near to queries, and of those that changed."""
from __future__ import annotations

import argparse

import numpy as np
import torch
from checkpoints import Opened, each
from opened import label_of_training, views_of
from torch import nn

from mmcluster.visualization import image_grid, members, neighbors_of, odd_queries
from mmcluster.visualization import seen as analyses
from mmcluster.visualization import to_pixels


def picture(one: Opened, rows: torch.Tensor, side: int) -> np.ndarray:
    """Images by row and column (R, C) of data set indices, white for -1."""
    tiles = to_pixels(views_of(one.model, one.dataset, rows.flatten().clamp_min(0)), one.model.data_preprocessor)
    tiles = tiles.reshape(*rows.shape, *tiles.shape[1:])
    tiles[(rows < 0).numpy()] = 1.
    return image_grid(tiles, side)


def draw_montage(args: argparse.Namespace) -> tuple[np.ndarray, dict]:
    """Images of every cluster, or of every kept label."""
    one = next(each(args))
    label = label_of_training(one.model, args.field, len(one.dataset)) if args.kept else one.seen.cluster
    rows = members(one.seen.embed, label, one.seen.score.shape[1], args.count, args.how, args.seed)
    for cluster, row in enumerate(rows.tolist()):
        print(f'cluster {cluster}: {", ".join(str(i) for i in row if i >= 0)}')
    return picture(one, rows, args.side), dict(row=rows.numpy())


def draw_nearest(args: argparse.Namespace) -> tuple[np.ndarray, dict]:
    """Queries with their nearest images, or with the nearest one and those of noisy draws (ProPos Fig. 4b)."""
    one = next(each(args))
    query = torch.tensor(args.rows) if args.rows else odd_queries(
        one.seen.embed, one.seen.truth, args.queries, args.count, args.seed)
    if args.sigma:
        generator, draws = torch.Generator().manual_seed(args.seed), []
        for _ in range(args.count):
            noise = torch.randn(one.seen.embed.shape, generator=generator).to(one.seen.embed)
            draws.append(neighbors_of(one.seen.embed, query, 1, args.sigma * noise))
        rows = torch.cat([query[:, None], neighbors_of(one.seen.embed, query, 1), *draws], 1)
    else:
        rows = torch.cat([query[:, None], neighbors_of(one.seen.embed, query, args.count)], 1)
    for first, *others in rows.tolist():
        print(f'{first}: {", ".join(map(str, others))}')
    return picture(one, rows, args.side), dict(row=rows.numpy())


def draw_changed(args: argparse.Namespace) -> tuple[np.ndarray, dict]:
    """Images whose cluster changed between two checkpoints, in rows of eight."""
    before, after = each(args)
    arrays = analyses.changed(before.seen, after.seen)
    for row, old, new in list(zip(*(arrays[key].tolist() for key in ('row', 'before', 'after'))))[:args.count]:
        print(f'{row}: {old} -> {new}')
    print(f'{len(arrays["row"])} images')
    if not len(arrays['row']):
        raise ValueError('no image changed its cluster, so there is nothing to show')
    rows = torch.from_numpy(arrays['row'][:args.count])
    return picture(after, nn.functional.pad(rows, (0, -len(rows) % 8), value=-1).view(-1, 8), args.side), arrays
