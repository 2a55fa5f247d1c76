"""Runs, views, sweeps, metrics and banks, on one process or on each of two. Every job takes a folder."""
from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from ddp_pool import job, mine, random
from ddp_steps import byol_model
from mmengine.config import ConfigDict
from mmengine.dist import get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner
from reduced import K, clusmatch_cfg, forget, propos_cfg, write_digits
from torch import Tensor

from mmcluster.datasets import IndexedDataset, StreamSampler, identity
from mmcluster.engine.extract import extract, sweep_loader, unwrap
from mmcluster.engine.launch import prepare
from mmcluster.evaluation import ClusteringMetric
from mmcluster.models.bank import SampleBank
from mmcluster.recipes import recipe
from mmcluster.registry import HOOKS, MODELS
from mmcluster.structures import TEST_STREAM, Rows

RAGGED = 45


# ---- buffers after some iterations of the Runner

@HOOKS.register_module(force=True)
class Capture(Hook):
    """Copies parameters and buffers at the end of both epochs and in the middle of the second."""

    priority = 'LOWEST'

    def __init__(self) -> None:
        self.states: dict[str, dict[str, Tensor]] = {}

    def keep(self, runner: Any, name: str) -> None:
        """Copy the state under a name."""
        model = unwrap(runner.model)
        self.states[name] = {key: value.detach().clone() for key, value in
                             [*model.named_parameters(), *model.named_buffers()]}

    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Keep the state before BN statistics are broadcast."""
        if runner.iter == 4:
            self.keep(runner, 'step')

    def after_train_epoch(self, runner: Any) -> None:
        """Keep the state after that."""
        self.keep(runner, 'last' if runner.epoch else 'first')


@HOOKS.register_module(force=True)
class LocalWrite(Hook):
    """Writes what only this rank knows into a bank field, past the bank."""

    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Label the rows of this rank's batch."""
        unwrap(runner.model).bank.label[data_batch['batch'].index] = 0


def captured(cfg: ConfigDict) -> tuple[Runner, dict[str, dict[str, Tensor]]]:
    """Train on one process or on each of several; the Runner, closed, and the states that a Capture kept."""
    forget()
    recipe.bind_data(cfg)
    cfg.randomness = dict(seed=0)
    runner = recipe.build_runner(prepare(cfg, 'pytorch' if get_world_size() > 1 else 'none'))
    capture = Capture()
    runner.register_hook(capture)
    runner.train()
    recipe.close(runner)
    return runner, capture.states


def trained(cfg: ConfigDict) -> dict[str, dict[str, Tensor]]:
    """Train two epochs on several processes; the states that a Capture kept."""
    runner, states = captured(cfg)
    assert type(runner.model).__name__ == 'MMDistributedDataParallel' and not runner.model.broadcast_buffers
    return states


@job
def train_propos(folder: Path) -> dict:
    """ProPos with a queue and a gate that opens after the first epoch."""
    return trained(propos_cfg(folder / 'propos', write_digits(folder / f'{get_rank()}'), epochs=2, warmup=1))


@job
def train_clusmatch(folder: Path) -> dict:
    """ClusMatch on the base that lies in the folder."""
    return trained(clusmatch_cfg(folder / 'clusmatch', write_digits(folder / f'{get_rank()}'),
                                 str(folder / 'base.pth'), epochs=2))


@job
def train_with_local_write(folder: Path) -> dict:
    """ProPos with a fault."""
    cfg = propos_cfg(folder / 'fault', write_digits(folder / f'{get_rank()}'), epochs=2, warmup=1)
    cfg.custom_hooks.append(dict(type='LocalWrite'))
    return trained(cfg)


# ---- views, sweeps, metrics, bank

def all_views(folder: Path, door: str, num_workers: int) -> dict[tuple[str, int], tuple]:
    """(stream, draw) -> index and digest of every view, over four steps of this process."""
    data = write_digits(folder / f'{get_rank()}')
    cfg = clusmatch_cfg('unused', data, door=door)
    given = cfg.train_dataloader.dataset
    dataset = IndexedDataset(given.source, pipelines=given.get('pipelines'))
    sampler = StreamSampler(dataset, dict(labelled=dict(size=6), unlabelled=dict(size=18)), length=2, seed=7)
    loader = torch.utils.data.DataLoader(dataset, batch_size=None, sampler=sampler, num_workers=num_workers,
                                         collate_fn=identity)
    make_views = MODELS.build(cfg.model.data_preprocessor)
    found = {}
    for epoch in (0, 1):
        sampler.set_epoch(epoch)
        for item in loader:
            batches = make_views(item, True)['data_samples']
            for stream, rows in item.items():
                for i, (draw, index) in enumerate(zip(rows.draw.tolist(), rows.index.tolist())):
                    digests = [hashlib.md5(view[i].numpy().tobytes()).hexdigest() for view in batches[stream].views]
                    assert (stream, draw) not in found
                    found[stream, draw] = (index, *digests)
    return found


@job
def views_of_both_doors(folder: Path) -> dict:
    """Views by door and number of workers."""
    return {(door, count): all_views(folder, door, count) for door in ('memory', 'worker') for count in (0, 2)}


def ragged_set(folder: Path, rows: int = RAGGED) -> IndexedDataset:
    """A test set whose rows two processes cannot share equally."""
    return IndexedDataset(dict(type='ArraySource', **write_digits(folder / f'{get_rank()}')), test_mode=True,
                          indices=list(range(rows)))


@job
def sweep(folder: Path) -> dict[str, Tensor]:
    """Features of ragged shards, in both modes; and of a single row."""
    model = byol_model(queue_size=0)
    model.data_preprocessor = MODELS.build(propos_cfg('unused', dict(array='', labels='')).model.data_preprocessor)
    few, one = ragged_set(folder), ragged_set(folder, rows=1)
    return dict(test=extract(model, sweep_loader(few, 10), RAGGED),
                one=extract(model, sweep_loader(one, 10), 1),
                train=extract(model, sweep_loader(few, RAGGED, stream='batch', seed=3), RAGGED, views='train'),
                statistics=model.teacher.neck.bn.running_mean.clone())


@job
def metrics(folder: Path) -> dict:
    """Metrics of a table of embeddings and probabilities, and the assignments on the first process."""
    embed, prob, found = random(RAGGED, 5), random(RAGGED, K, seed=1).softmax(1), {}
    for source in ('kmeans', 'head'):
        metric = ClusteringMetric(source=source, num_clusters=K, n_init=2)
        for item in sweep_loader(ragged_set(folder), 10):
            rows = item[TEST_STREAM]
            rows.label[rows.index % 7 == 0] = -1
            metric.process({TEST_STREAM: Rows(*rows)}, [dict(index=rows.index, embed=embed[rows.index],
                                                             prob=prob[rows.index])])
        found[source] = metric.evaluate(RAGGED), metric.assignments
    return found


BANK_STEPS, BANK_ROWS, BANK_SIZE = 6, 12, 15


def bank_inputs() -> list[tuple[Tensor, Tensor, Tensor]]:
    """Rows of all processes at each step: index (M,) with duplicates, value (M,), where (M,)."""
    generator = torch.Generator().manual_seed(9)
    return [(torch.randint(BANK_SIZE, (BANK_ROWS,), generator=generator),
             torch.randint(100, (BANK_ROWS,), generator=generator),
             torch.rand(BANK_ROWS, generator=generator) < 0.6) for _ in range(BANK_STEPS)]


@job
def bank(folder: Path) -> list:
    """A bank that is written, written under a mask, and exchanged in turn: what it returns and holds at each step."""
    module = SampleBank(BANK_SIZE, dict(seen=dict(), row=dict(shape=(2,), dtype='float32', fill=0.)))
    found = []
    for i, (index, value, where) in enumerate(bank_inputs()):
        index, value, where = mine(index), mine(value), mine(where)
        answer = None
        if i % 3 == 2:
            answer = module.exchange('seen', index, value)
        else:
            module.write(index, where if i % 3 else None, seen=value, row=torch.stack([value, -value], 1).float())
        found.append((answer, module.seen.clone(), module.row.clone()))
    return found
