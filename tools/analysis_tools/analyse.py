"""Figures of the papers from checkpoints, and curves of runs.

python tools/analysis_tools/analyse.py layout CONFIG CHECKPOINT... --out tsne.png       # --method umap
python tools/analysis_tools/analyse.py purity CONFIG WORK_DIR --out purity.png          # every epoch_*.pth in it
python tools/analysis_tools/analyse.py changed CONFIG BEFORE AFTER --out changed.png --before CONFIG STAGE
python tools/analysis_tools/analyse.py curves WORK_DIR... --out curves.png --metrics kmeans/nmi kmeans/acc

A checkpoint is a file, or a work dir whose epochs are all read: train with default_hooks.checkpoint.interval=1 and
max_keep_ckpts=-1. --arrays keeps what is drawn in a file of NumPy. Ground truth is read for the figures alone.
"""
from __future__ import annotations

import argparse
import os
from typing import Callable, Iterator, NamedTuple

import numpy as np
import torch
from curves import add_curves
from opened import arguments, embed_and_score, epochs_of, label_of_training, opened, views_of
from PIL import Image
from torch import nn

from mmcluster.apis import open_config, open_model
from mmcluster.command_line import output_file
from mmcluster.datasets import IndexedDataset
from mmcluster.visualization import HOW, Seen, image_grid, layout, members, neighbors_of, odd_queries, plots
from mmcluster.visualization import seen as analyses
from mmcluster.visualization import to_pixels


class Opened(NamedTuple):
    """One checkpoint.

    Attributes:
        seen: What it makes of all images.
        model: In evaluation mode, of the config.
        dataset: The images.
        epoch: In its name, or its place in the command line.
    """
    seen: Seen
    model: nn.Module
    dataset: IndexedDataset
    epoch: int


def files_of(places: list[str]) -> list[tuple[str, int]]:
    """(file, number of its epoch) of each checkpoint; a folder stands for all of its epochs."""
    return [one for number, place in enumerate(places, 1) for one in (
        [(path, epoch) for epoch, path in epochs_of(place).items()] if os.path.isdir(place) else [(place, number)])]


def each(args: argparse.Namespace) -> Iterator[Opened]:
    """Open the checkpoints in turn, and embed all images by each."""
    files = files_of(args.checkpoint)
    with opened(args) as (cfg, dataset):
        truth = None if dataset.labels is None else torch.from_numpy(dataset.labels).long()
        for number, (path, epoch) in enumerate(files):
            own = open_config(*args.before) if number == 0 and getattr(args, 'before', None) else cfg
            model = open_model(own, path)
            embed, score = embed_and_score(model, dataset, args, own)
            name = '' if len(files) == 1 else os.path.splitext(os.path.basename(path))[0]
            yield Opened(Seen(name, embed, score, truth), model, dataset, epoch)


def draw_layout(args: argparse.Namespace) -> tuple[plots.Figure, dict]:
    """t-SNE or UMAP, coloured by cluster and class."""
    rows, arrays = [], {}
    for one in each(args):
        order = torch.randperm(len(one.dataset), generator=torch.Generator().manual_seed(args.seed))
        chosen = order[:args.max_samples]
        places = layout(one.seen.embed[chosen.to(one.seen.embed.device)], args.method, args.perplexity, args.seed)
        colours = {'clusters': one.seen.cluster[chosen].numpy()}
        if one.seen.truth is not None:
            colours['classes'] = one.seen.truth[chosen].numpy()
        rows.append((one.seen.name, places, colours))
        arrays.update({f'{one.seen.name}/{key}'.lstrip('/'): value
                       for key, value in dict(row=chosen.numpy(), places=places, **colours).items()})
    return plots.points(rows), arrays


def over(x: str, y: str, function: Callable[..., dict], args: argparse.Namespace) -> tuple[plots.Figure, dict]:
    """A line for each checkpoint, of arrays that one gives."""
    found = {one.seen.name or y: function(one.seen) for one in each(args)}
    report(found)
    return plots.curves({name: (arrays[x], arrays[y], None) for name, arrays in found.items()}, x, y), {
        f'{name}/{key}': value for name, arrays in found.items() for key, value in arrays.items()}


def over_epochs(function: Callable[[Opened], dict], args: argparse.Namespace) -> tuple[plots.Figure, dict]:
    """Numbers of each checkpoint against the epoch, a line for each number."""
    found = {one.epoch: function(one) for one in each(args)}
    report(found)
    arrays = {key: np.array([one[key] for one in found.values()]) for key in next(iter(found.values()))}
    epochs = np.array(list(found))
    return plots.curves({name: (epochs, values, None) for name, values in arrays.items()}, 'epoch', 'value'), dict(
        epoch=epochs, **arrays)


def report(found: dict) -> None:
    """Print what is drawn, a line for each checkpoint."""
    for name, arrays in found.items():
        print(f'{name}: ' + ', '.join(f'{key} {np.array2string(np.asarray(value), precision=4)}'
                                      for key, value in arrays.items()))


def draw_sizes(args: argparse.Namespace) -> tuple[plots.Figure, dict]:
    """Images of clusters and classes."""
    found = {one.seen.name or 'images': analyses.sizes(one.seen) for one in each(args)}
    report(found)
    panels = {name: {'cluster': arrays['size'], **({'its class': arrays['class_size']} if arrays['class_size'].any()
                                                   else {})} for name, arrays in found.items()}
    return plots.bars(panels, {name: arrays['cluster'] for name, arrays in found.items()}), {
        f'{name}/{key}': value for name, arrays in found.items() for key, value in arrays.items()}


def noise_of(one: Opened, field: str | None) -> dict:
    """Noise of the labels that the training of a checkpoint had."""
    return analyses.noise(label_of_training(one.model, field, len(one.dataset)), one.seen.classes)


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
    """Queries with their nearest images."""
    one = next(each(args))
    query = torch.tensor(args.rows) if args.rows else odd_queries(
        one.seen.embed, one.seen.truth, args.queries, args.count, args.seed)
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


def add_common(commands: argparse._SubParsersAction, name: str, draw: Callable) -> argparse.ArgumentParser:
    """A sub-command with what all figures of checkpoints need."""
    text = (draw.__doc__ or '').splitlines()[0]
    parser = commands.add_parser(name, parents=[arguments('', add_help=False)], help=text, description=text)
    parser.add_argument('checkpoint', nargs='+', help='file, or work dir with epoch_*.pth')
    parser.add_argument('--source', choices=['head', 'kmeans'], help='of the clusters; default: what the result is of')
    parser.add_argument('--num-clusters', type=int, help="of k-means; default: the config's")
    parser.add_argument('--arrays', type=output_file, help='NumPy file (.npz) for what is drawn')
    parser.add_argument('--seed', type=int, default=0)
    parser.set_defaults(draw=draw)
    return parser


def purity(args: argparse.Namespace) -> tuple[plots.Figure, dict]:
    """Purity by rank of distance to the centre of the cluster."""
    return over('rank', 'purity', lambda seen: analyses.purity(seen, args.bins), args)


def preservation(args: argparse.Namespace) -> tuple[plots.Figure, dict]:
    """Share of images that keep their class when noise is added to the embedding."""
    return over('sigma', 'rate', lambda seen: analyses.preservation(
        seen, tuple(args.sigmas), args.draws, args.seed), args)


def noise(args: argparse.Namespace) -> tuple[plots.Figure, dict]:
    """Noise and share of the labels that training had, over epochs."""
    return over_epochs(lambda one: noise_of(one, args.field), args)


def steadiness(args: argparse.Namespace) -> tuple[plots.Figure, dict]:
    """Spread of the embedding and evenness of the clusters, over epochs."""
    return over_epochs(lambda one: analyses.steadiness(one.seen), args)


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar='KIND')
    one = add_common(commands, 'layout', draw_layout)
    one.add_argument('--method', choices=['tsne', 'umap'], default='tsne')
    one.add_argument('--perplexity', type=float, default=30.)
    one.add_argument('--max-samples', type=int, default=5000, help='images in a panel, drawn at random')
    add_common(commands, 'purity', purity).add_argument('--bins', type=int, default=10)
    one = add_common(commands, 'preservation', preservation)
    one.add_argument('--sigmas', type=float, nargs='+', default=[0.001, 0.002, 0.005, 0.01, 0.02])
    one.add_argument('--draws', type=int, default=10)
    add_common(commands, 'sizes', draw_sizes)
    add_common(commands, 'noise', noise).add_argument('--field', help='of the bank; default: what the method has')
    add_common(commands, 'steadiness', steadiness)
    one = add_common(commands, 'montage', draw_montage)
    one.add_argument('--how', choices=HOW, default='nearest', help='from the centre of the cluster')
    one.add_argument('--kept', action='store_true', help='of the labels that training had, not of the clusters')
    one.add_argument('--field', help='of the bank, with --kept')
    two = add_common(commands, 'nearest', draw_nearest)
    two.add_argument('--rows', type=int, nargs='+', help='queries; default: images with a neighbour of another class')
    two.add_argument('--queries', type=int, default=8, help='how many, without --rows')
    three = add_common(commands, 'changed', draw_changed)
    three.add_argument('--before', nargs='+', metavar=('CONFIG', 'STAGE'), help='of the first checkpoint, if another')
    for picture_of, count in ((one, 10), (two, 5), (three, 32)):
        picture_of.add_argument('--count', type=int, default=count, help='images, of a row or in all')
        picture_of.add_argument('--side', type=int, default=64, help='magnify images to at least as many pixels')
    add_curves(commands)
    return parser.parse_args()


def main() -> None:
    """Read, draw, write."""
    args = parse_args()
    if args.draw is draw_changed and len(files_of(args.checkpoint)) != 2:
        raise ValueError('changed compares two checkpoints: name the one before and the one after')
    drawn, arrays = args.draw(args)
    if isinstance(drawn, np.ndarray):
        Image.fromarray(drawn).save(args.out)
    else:
        drawn.savefig(args.out, dpi=120)
    if args.arrays:
        np.savez(args.arrays, **arrays)
    print(args.out)


if __name__ == '__main__':
    main()
