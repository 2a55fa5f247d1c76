"""Sub-commands of analyse.py that draw points, curves and bars of checkpoints."""
from __future__ import annotations

import argparse
from typing import Callable

import numpy as np
import torch
from checkpoints import Opened, each, files_of
from opened import label_of_training

from mmcluster.visualization import layout, plots
from mmcluster.visualization import seen as analyses


def draw_layout(args: argparse.Namespace) -> tuple[plots.Figure, dict]:
    """t-SNE or UMAP, coloured by cluster and class."""
    rows, arrays = [], {}
    for one in each(args):
        order = torch.randperm(len(one.dataset), generator=torch.Generator().manual_seed(args.seed))
        chosen = order[:args.max_samples]
        places = layout(one.seen.embed[chosen.to(one.seen.embed.device)], args.method, args.perplexity, args.seed)
        colours = {'clusters': analyses.named(one.seen)[chosen].numpy()}
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
    """Numbers of each checkpoint of a run against the epoch, a line for each number."""
    numbers = [epoch for _, epoch in files_of(args.checkpoint)]
    if len(set(numbers)) < len(numbers):
        raise ValueError(f'several checkpoints are of one epoch, {max(numbers, key=numbers.count)}: give the work dir '
                         f'of one run')
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


def confident(args: argparse.Namespace) -> tuple[plots.Figure, dict]:
    """Share and accuracy of the images of which the head is sure, over epochs."""
    return over_epochs(lambda one: analyses.confident(one.seen, args.threshold), args)


def scores(args: argparse.Namespace) -> tuple[plots.Figure, dict]:
    """How sure each cluster is of one image, over epochs."""
    return over_epochs(lambda one: {f'cluster {k}': value for k, value in enumerate(
        one.seen.score[args.row].float().cpu().numpy())}, args)
