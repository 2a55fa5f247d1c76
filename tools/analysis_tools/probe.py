"""Probe the frozen features of a checkpoint: python tools/analysis_tools/probe.py CONFIG CHECKPOINT [options].

Weighted k-NN, a linear layer by SGD, logistic regression, and logistic regression on a few labels, on the backbone's
vector and on the embedding. The training images are learned from, those of the test loader are predicted; where both
are one set, k-NN leaves out the row itself, and the others are judged on a fifth that is held out.
"""
from __future__ import annotations

import argparse
import json
from typing import Iterator

import torch
from mmengine.config import DictAction
from opened import sweep
from torch import Tensor

from mmcluster.apis import open_config, open_model
from mmcluster.compat import allow_pickle
from mmcluster.datasets import IndexedDataset
from mmcluster.evaluation.probes import Split, few_label_probe, knn_probe, linear_probe, logistic_probe
from mmcluster.models.clusterers.base import pooled
from mmcluster.registry import DATASETS


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', help='a config; of a recipe the stage is named by --stage')
    parser.add_argument('checkpoint')
    parser.add_argument('--stage', help='stage of a recipe')
    parser.add_argument('--k', type=int, nargs='+', default=[20], help='neighbours of k-NN')
    parser.add_argument('--temperature', type=float, default=0.07, help='of k-NN')
    parser.add_argument('--per-class', type=int, nargs='+', default=[4], help='labels of the few-label probe')
    parser.add_argument('--epochs', type=int, default=100, help='of the linear layer')
    parser.add_argument('--lr', type=float, default=30., help='of the linear layer, for 256 rows')
    parser.add_argument('--batch-size', type=int, default=256)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--json', help='file for the figures')
    parser.add_argument('--allow-pickle', action='store_true', help='read a checkpoint that can run code')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='override settings, key=value')
    return parser.parse_args()


def probes(split: Split, held_out: Split, args: argparse.Namespace) -> Iterator[tuple[str, float]]:
    """Name and accuracy of every probe.

    Args:
        split: All rows.
        held_out: The same, or with a part held out where training and test images are one set.
        args: Of the command line.
    """
    for k in args.k:
        yield f'k-NN (k {k}, T {args.temperature:g})', knn_probe(split, k, args.temperature)
    yield f'linear layer (SGD, {args.epochs} epochs, plain view)', linear_probe(
        held_out, args.epochs, lr=args.lr, steps=(args.epochs * 6 // 10, args.epochs * 8 // 10), seed=args.seed)
    yield 'logistic regression (C 1, plain view)', logistic_probe(held_out)
    for per_class in args.per_class:
        mean, deviation = few_label_probe(split, per_class, seed=args.seed)
        yield f'{per_class} labels a class (5 draws, deviation {deviation:.3f})', mean


def held_out(split: Split, seed: int) -> Split:
    """The split itself, or four fifths and one fifth of the rows where training and test images are one set."""
    if not split.same:
        return split
    order = torch.randperm(len(split.train), generator=torch.Generator().manual_seed(seed))
    test, train = order[:len(order) // 5], order[len(order) // 5:]
    return Split(split.train[train], split.labels[train], split.train[test], split.labels[test])


def labels_of(dataset: IndexedDataset) -> Tensor:
    """Ground truth (N,).

    Raises:
        ValueError: If an image has none.
    """
    if dataset.labels is None or dataset.labels.min() < 0:
        raise ValueError(f'{dataset.metainfo["dataset"]}: a probe needs the class of every image')
    return torch.from_numpy(dataset.labels)


def main() -> None:
    """Embed, probe, print."""
    args = parse_args()
    with allow_pickle(args.allow_pickle):
        cfg = open_config(args.config, args.stage, args.cfg_options)
        model = open_model(cfg, args.checkpoint)
    sets = [DATASETS.build(cfg[f'{name}_dataloader'].dataset) for name in ('train', 'test')]
    same = sets[0].fingerprint == sets[1].fingerprint
    spaces = dict(backbone=lambda x: pooled(model.deployed()[0](x)), embedding=model.embed)
    found: dict[str, dict[str, float]] = {}
    for space, function in spaces.items():
        train = sweep(model, sets[0], function, args.batch_size)
        test = train if same else sweep(model, sets[1], function, args.batch_size)
        split = Split(train, labels_of(sets[0]), test, labels_of(sets[1]), same)
        found[space] = dict(probes(split, held_out(split, args.seed), args))
        for name, value in found[space].items():
            print(f'{space:10} {name:56} {value:.3f}')
    if args.json:
        with open(args.json, 'w', encoding='utf-8') as file:
            json.dump(found, file, indent=2)


if __name__ == '__main__':
    main()
