"""The checkpoints of a figure in turn: files, or all epochs of a work dir."""
from __future__ import annotations

import argparse
import os
from typing import Iterator, NamedTuple

import torch
from opened import embed_and_score, epochs_of, opened
from torch import nn

from mmcluster.apis import open_config, open_model
from mmcluster.datasets import IndexedDataset
from mmcluster.visualization import Seen, told_apart


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
    names = told_apart([os.path.splitext(path)[0] for path, _ in files])
    with opened(args) as (cfg, dataset):
        truth = None if dataset.labels is None else torch.from_numpy(dataset.labels).long()
        for number, (path, epoch) in enumerate(files):
            own = open_config(*args.before) if number == 0 and getattr(args, 'before', None) else cfg
            model = open_model(own, path)
            embed, score = embed_and_score(model, dataset, args, own)
            name = '' if len(files) == 1 else names[number]
            yield Opened(Seen(name, embed, score, truth), model, dataset, epoch)
