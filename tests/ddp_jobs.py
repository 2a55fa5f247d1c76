"""What the distributed tests compute, on one process or on each of two. Every job takes a folder and returns a value."""
from __future__ import annotations

import datetime
import hashlib
import os
import pickle
import traceback
from pathlib import Path
from typing import Any, Callable

import torch
import torch.distributed as dist
from mmengine.config import ConfigDict
from mmengine.dist import get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from reduced import K, N, clusmatch_cfg, forget, propos_cfg, write_digits
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmcluster.datasets import IndexedDataset, StreamSampler, identity
from mmcluster.engine import recipe
from mmcluster.engine.extract import extract, sweep_loader, unwrap
from mmcluster.engine.launch import prepare
from mmcluster.evaluation import ClusteringMetric
from mmcluster.models.bank import SampleBank
from mmcluster.registry import HOOKS, MODELS
from mmcluster.structures import TEST_STREAM, Batch, Rows

JOBS: dict[str, Callable[[Path], Any]] = {}
ROWS = 12
RAGGED = 45


def job(function: Callable[[Path], Any]) -> Callable[[Path], Any]:
    """Register a job by the name of its function."""
    JOBS[function.__name__] = function
    return function


def work(rank: int, world_size: int, folder: Path) -> None:
    """Run all jobs in one process of a group; each leaves a file with its result or its traceback."""
    torch.set_num_threads(1)
    os.environ['LOCAL_RANK'] = str(rank)
    dist.init_process_group('gloo', init_method=f'file://{folder}/rendezvous', rank=rank, world_size=world_size,
                            timeout=datetime.timedelta(seconds=60))
    for name, function in JOBS.items():
        (folder / f'{name}_{rank}.pkl').write_bytes(pickle.dumps(attempt(function, folder)))
    dist.barrier()
    dist.destroy_process_group()


def attempt(function: Callable[[Path], Any], folder: Path) -> tuple[bool, Any]:
    """Whether a job ended well, and its value or traceback."""
    init_default_scope('mmcluster')
    torch.manual_seed(get_rank())
    try:
        return True, function(folder)
    except Exception:
        return False, traceback.format_exc()


def mine(rows: Tensor) -> Tensor:
    """This process's share of global rows (M, ...)."""
    return rows.chunk(get_world_size())[get_rank()]


def random(*shape: int, seed: int = 0) -> Tensor:
    """Normal numbers, equal on all processes."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


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


def trained(cfg: ConfigDict) -> dict[str, dict[str, Tensor]]:
    """Train two epochs; the states that a Capture kept."""
    forget()
    recipe.bind_data(cfg)
    cfg.randomness = dict(seed=0)
    runner = recipe.build_runner(prepare(cfg, 'pytorch'))
    capture = Capture()
    runner.register_hook(capture)
    runner.train()
    recipe.close(runner)
    assert type(runner.model).__name__ == 'MMDistributedDataParallel' and not runner.model.broadcast_buffers
    return capture.states


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


# ---- losses and gradients of one step

def step(model: nn.Module, **streams: Batch) -> dict[str, dict[str, Tensor]]:
    """Losses, gradients and buffers of one step in training mode, batch norm in evaluation mode.

    Args:
        model: Clusterer.
        streams: Batches of all processes.
    """
    model.train()
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.eval()
    share = {name: Batch([mine(view) for view in batch.views], mine(batch.index)) for name, batch in streams.items()}
    net = model
    if get_world_size() > 1:
        net = nn.parallel.DistributedDataParallel(model, broadcast_buffers=False)
    losses = net(None, share, mode='loss')
    sum(value for name, value in losses.items() if name.startswith('loss_')).backward()
    return dict(losses={name: value.detach() for name, value in losses.items()},
                gradients={name: param.grad for name, param in model.named_parameters() if param.grad is not None},
                buffers={name: value.clone() for name, value in model.named_buffers()})


def views(count: int, rows: int = ROWS, seed: int = 0) -> list[Tensor]:
    """``count`` views (rows, 1, 8, 8) of images that differ in brightness and contrast."""
    return list(random(count, rows, 1, 8, 8, seed=seed) * random(rows, 1, 1, 1) + random(rows, 1, 1, 1, seed=1))


def byol_model(**options: Any) -> nn.Module:
    """BYOL or ProPos with random weights, another teacher, and a bank whose every field is filled."""
    cfg = propos_cfg('unused', dict(array='', labels='')).model
    cfg.merge(dict(bank=dict(num_samples=N), sigma=0., **options))
    if cfg.type == 'BYOL':
        cfg = ConfigDict({key: cfg[key] for key in ('type', 'backbone', 'neck', 'predictor', 'decay')})
    torch.manual_seed(3)
    model = MODELS.build(cfg)
    model.init_weights()
    with torch.no_grad():
        for param in model.teacher.parameters():
            param.add_(0.1 * torch.randn_like(param))
    if model.bank is not None:
        label = torch.arange(N) % (K - 2)
        label[::11] = -1
        label[55] = K - 1  # one cluster has a single row, one is empty
        model.bank.fill(label=label)
        if 'posterior' in model.bank.fills:
            model.bank.fill(posterior=random(N, K, seed=5).softmax(1))
    torch.manual_seed(100 + get_rank())
    return model


def byol_step(**options: Any) -> dict:
    """One step; a queue is filled by a step before it."""
    model = byol_model(**options)
    index = torch.arange(ROWS) * 5
    if options.get('queue_size'):
        step(model, batch=Batch(views(2, seed=1), (index + 1) % N))
        model.zero_grad()
    return step(model, batch=Batch(views(2), index))


@job
def step_byol(folder: Path) -> dict:
    """BYOL."""
    return byol_step(type='BYOL')


@job
def step_propos(folder: Path) -> dict:
    """ProPos with labels."""
    return byol_step(queue_size=0)


@job
def step_propos_joint(folder: Path) -> dict:
    """ProPos whose networks see both views as one batch after the teacher moved."""
    return byol_step(queue_size=0, joint_views=True, ema_before_forward=True)


@job
def step_propos_queue(folder: Path) -> dict:
    """ProPos with a queue that is not full."""
    return byol_step(queue_size=30)


@job
def step_propos_soft(folder: Path) -> dict:
    """ProPos with posteriors and a queue that overflows."""
    return byol_step(queue_size=20, assignment='soft')


def scatter_gradient(gather_grad: str) -> dict[str, Tensor]:
    """Gradient of prototype scattering alone."""
    model = byol_model(queue_size=0, gather_grad=gather_grad)
    align = model.align
    model.align = lambda z, k: 0 * align(z, k)
    return step(model, batch=Batch(views(2), torch.arange(ROWS)))['gradients']


@job
def scatter_sum(folder: Path) -> dict:
    """The whole gradient."""
    return scatter_gradient('sum')


@job
def scatter_local(folder: Path) -> dict:
    """The release's."""
    return scatter_gradient('local')


@job
def step_clusmatch(folder: Path) -> dict:
    """ClusMatch, two steps."""
    cfg = clusmatch_cfg('unused', dict(array='', labels='')).model
    cfg.bank.num_samples = N
    cfg.base.init_cfg = None
    cfg.pseudo_label_loss.fairness_weight = 0.5
    torch.manual_seed(4)
    model = MODELS.build(cfg)
    model.init_weights()
    with torch.no_grad():  # so that rows differ in their cluster and confidence
        logits = model.eval().head(model.neck(model.backbone(views(1, 14)[0])))
        model.head.fc.weight.mul_(2 / logits.std(0)[:, None])
        model.head.fc.bias.sub_(2 * logits.mean(0) / logits.std(0))
    model.pseudo_label_loss.tau_local.mul_(0.4)  # so that only confident rows are positive
    model.bank.fill(target=torch.arange(N) % (K + 1) - 1, label=torch.arange(N) % K)
    for seed in (1, 2):
        model.zero_grad()
        result = step(model, labelled=Batch(views(1, 6, seed), torch.arange(6) * 7 % N),
                      unlabelled=Batch(views(2, 14, seed + 5), torch.arange(14) * 3 % N))
    return result


@job
def shuffle_bn(folder: Path) -> dict:
    """Momentum embeddings of this process's rows, shuffled over processes and not, in both modes."""
    model, share = byol_model(queue_size=0), [mine(view) for view in views(2)]
    with torch.no_grad():
        found = {mode: (torch.cat(model.train(mode == 'train').target(share)),
                        torch.cat([model._target(view) for view in share])) for mode in ('eval', 'train')}
    return found


# ---- views, sweeps, metrics, bank

def all_views(folder: Path, door: str, num_workers: int) -> dict[tuple[str, int], tuple]:
    """(stream, draw) -> index and digest of every view, over four steps of this process."""
    data = write_digits(folder / f'{get_rank()}')
    cfg = clusmatch_cfg('unused', data, door=door)
    given = cfg.train_dataloader.dataset
    dataset = IndexedDataset(given.source, pipelines=given.get('pipelines'))
    sampler = StreamSampler(dataset, dict(labelled=dict(size=6), unlabelled=dict(size=14)), length=2, seed=7)
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


BANK_STEPS, BANK_ROWS, BANK_SIZE = 6, 8, 15


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
