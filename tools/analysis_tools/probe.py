"""Probe the frozen features of a checkpoint: python tools/analysis_tools/probe.py CONFIG CHECKPOINT [options].

Weighted k-NN, a linear layer by SGD, logistic regression, and logistic regression on a few labels, on the backbone's
vector and on the embedding. With --augmented the linear layer of the papers too: on crops and mirror images of the
training images, drawn anew in each epoch, by SGD (100 epochs of batches of 256) or LARS (90 of 4096). The training
images are learned from, those of the test loader are predicted; where both are one set, k-NN leaves out the row itself,
and the others are judged on a fifth that is held out.
"""
from __future__ import annotations

import argparse
import json
from typing import Callable, Iterator

import torch
from mmengine.config import Config, DictAction
from opened import sweep
from torch import Tensor, nn

from mmcluster.apis import open_config, open_model
from mmcluster.compat import allow_pickle
from mmcluster.datasets import IndexedDataset
from mmcluster.engine.extract import sweep_loader
from mmcluster.evaluation.probes import Split, few_label_probe, knn_probe, linear_probe, logistic_probe
from mmcluster.models.clusterers.base import pooled
from mmcluster.registry import DATASETS, TRANSFORMS
from mmcluster.structures import TEST_STREAM, Key

# Epochs, batch, rate for 256 rows, whether by LARS (ProPos' release, both configs).
PROTOCOLS = dict(lars=(90, 4096, 0.1, True), sgd=(100, 256, 30., False))
SMALL = 64      # pixels, up to which crops are shifts, as on CIFAR


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', help='a config; of a recipe the stage is named by --stage')
    parser.add_argument('checkpoint')
    parser.add_argument('--stage', help='stage of a recipe')
    parser.add_argument('--k', type=int, nargs='+', default=[20], help='neighbours of k-NN')
    parser.add_argument('--temperature', type=float, default=0.07, help='of k-NN')
    parser.add_argument('--per-class', type=int, nargs='+', default=[4], help='labels of the few-label probe')
    parser.add_argument('--epochs', type=int, default=100, help='of the linear layer on plain views')
    parser.add_argument('--lr', type=float, default=30., help='of the linear layer, for 256 rows')
    parser.add_argument('--augmented', nargs='+', choices=list(PROTOCOLS), default=[],
                        help='linear layers on augmented views, which sweep the training images in every epoch')
    parser.add_argument('--augmented-epochs', type=int, help="of these; default: the protocol's")
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


def augmented_set(cfg: Config, model: nn.Module) -> IndexedDataset:
    """The training images with a stream ``probe`` of crops and mirror images, which the model makes."""
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    first = dataset[[Key(0, TEST_STREAM)]][TEST_STREAM].images[0]
    if first.dim() != 4:
        raise ValueError('--augmented crops images, and the data are rows of features')
    if cfg.train_dataloader.dataset.get('pipelines'):
        crop = [dict(type='torchvision/RandomResizedCrop', size=tuple(first.shape[2:]), scale=(0.08, 1.)),
                dict(type='torchvision/RandomHorizontalFlip')]
        return DATASETS.build({**cfg.train_dataloader.dataset, 'pipelines': dict(probe=[crop])})
    side = first.shape[1]
    crop = dict(type='BatchRandomCrop', size=side, padding=side // 8, flip_prob=0.5) if side <= SMALL else dict(
        type='BatchRandomResizedCrop', size=side, scale=(0.08, 1.), flip_prob=0.5)
    model.data_preprocessor.views = dict(probe=[[TRANSFORMS.build(crop), *model.data_preprocessor.test]])
    return dataset


@torch.no_grad()
def drawn_features(model: nn.Module, dataset: IndexedDataset, function: Callable[[Tensor], Tensor], batch_size: int,
                   seed: int, epoch: int) -> Tensor:
    """Values (N, D) of a function of views that are drawn for an epoch; the network stays in evaluation mode."""
    loader = sweep_loader(dataset, batch_size, stream='probe', seed=seed, epoch=epoch)
    return torch.cat([function(model.data_preprocessor(data, True)['data_samples']['probe'].views[0]).float()
                      for data in loader])


def augmented_probes(split: Split, keep: Tensor, draw: Callable[[int], Tensor],
                     args: argparse.Namespace) -> Iterator[tuple[str, float]]:
    """Name and accuracy of the papers' linear probes.

    Args:
        split: With a part held out where training and test images are one set.
        keep: (M,) long, its training rows among all.
        draw: Epoch -> features of all training images in views of that epoch.
        args: Of the command line.
    """
    for name in args.augmented:
        epochs, batch, lr, lars = PROTOCOLS[name]
        epochs = args.augmented_epochs or epochs
        yield f'linear layer ({name.upper()}, {epochs} epochs, augmented views)', linear_probe(
            split, epochs, min(batch, len(keep)), lr, (epochs * 6 // 10, epochs * 8 // 10), args.seed, lars,
            lambda epoch: draw(epoch)[keep])


def held_out(split: Split, seed: int) -> tuple[Split, Tensor]:
    """The split itself, or four fifths and one fifth of the rows where training and test images are one set.

    Returns:
        The split, and (M,) long which of the training rows are in it.
    """
    if not split.same:
        return split, torch.arange(len(split.train))
    order = torch.randperm(len(split.train), generator=torch.Generator().manual_seed(seed))
    test, train = order[:len(order) // 5], order[len(order) // 5:]
    return Split(split.train[train], split.labels[train], split.train[test], split.labels[test]), train


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
    drawn = augmented_set(cfg, model) if args.augmented else None
    spaces = dict(backbone=lambda x: pooled(model.deployed()[0](x), model.deployed()[0]), embedding=model.embed)
    found: dict[str, dict[str, float]] = {}
    for space, function in spaces.items():
        train = sweep(model, sets[0], function, args.batch_size)
        test = train if same else sweep(model, sets[1], function, args.batch_size)
        split = Split(train, labels_of(sets[0]), test, labels_of(sets[1]), same)
        part, keep = held_out(split, args.seed)
        found[space] = dict(probes(split, part, args))
        if drawn is not None:
            found[space].update(augmented_probes(part, keep, lambda epoch, function=function: drawn_features(
                model, drawn, function, args.batch_size, args.seed, epoch), args))
        for name, value in found[space].items():
            print(f'{space:10} {name:56} {value:.3f}')
    if args.json:
        with open(args.json, 'w', encoding='utf-8') as file:
            json.dump(found, file, indent=2)


if __name__ == '__main__':
    main()
