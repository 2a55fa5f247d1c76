"""Jobs of shares that no number of rows divides into, some of them empty."""
from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import torch
from ddp_pool import job, random
from mmengine.dist import get_world_size
from small_models import FlatNet
from test_engine.fake import D as WIDTH
from test_engine.fake import K as CLUSTERS
from test_engine.fake import blobs, fake_runner, rowwise, scalar
from torch import Tensor

from mmcluster.datasets import StreamSampler
from mmcluster.engine.hooks import BestHeadHook, GraphHook, KMeansHook, NeighborHook, SelectHook, TransitionHook
from mmcluster.evaluation import ClusteringMetric, KNNMetric
from mmcluster.functional.clustering.kmeans import kmeans
from mmcluster.models import ASDLabels
from mmcluster.models.clusterers import GCC
from mmcluster.models.heads import LinearClusterHead
from mmcluster.models.necks import MLPProjector
from mmcluster.models.shards import process_shards
from mmcluster.registry import MODELS
from mmcluster.structures import Rows

SIZES, K, D = (203, 3, 1), 5, 6


def clouds(rows: int) -> Tensor:
    """Rows (N, D) in overlapping groups."""
    return 2 * random(K, D)[torch.arange(rows) * 7 % K] + 0.7 * random(rows, D, seed=1)


def own(x: Tensor) -> Tensor:
    """The share of this process."""
    rows = process_shards().share(len(x))
    return x[rows.start:rows.stop]


@job
def exchanges(folder: Path) -> dict[int, Any]:
    """What every exchange returns, by the number of rows."""
    shards, found = process_shards(), {}
    for rows in SIZES:
        mine = own(torch.arange(2. * rows).view(rows, 2))
        kept = mine.clone()
        blocks = {owner: block.clone() for owner, block in shards.turns(mine)}
        found[rows] = dict(sum=shards.sum(torch.tensor([len(mine), shards.rank])), gather=shards.gather(mine),
                           max=shards.max(torch.tensor([shards.rank, -shards.rank])), sizes=shards.sizes(len(mine)),
                           start=shards.start(len(mine)), order=list(blocks),
                           turns=torch.cat([blocks[owner] for owner in sorted(blocks)]), same=torch.equal(mine, kept),
                           count=get_world_size())
    return found


@job
def clusterings(folder: Path) -> dict:
    """k-means by number of rows, metric and first centres."""
    found = {}
    for rows in SIZES[:2]:
        for metric in ('cosine', 'euclidean'):
            for init in (None, 'random'):
                result = kmeans(own(clouds(rows)), min(K, rows), n_init=2, metric=metric, init=init, seed=3,
                                shards=process_shards())
                found[rows, metric, init] = result._replace(labels=process_shards().gather(result.labels))
    return found


@job
def scores(folder: Path) -> dict:
    """Values and assignments of both sources where some processes have no row, also of a table that is not laid out."""
    found = {}
    for rows in SIZES[:2]:
        for source in ('kmeans', 'head', 'cells'):
            metric = ClusteringMetric('kmeans' if source == 'kmeans' else 'head', num_clusters=2, n_init=2)
            index, x = own(torch.arange(rows)), own(clouds(rows))
            for part in index.split(20) if len(index) else ():
                place = part - index[0]
                sample = dict(index=part, embed=x[place], prob=x[place].softmax(1))
                metric.process(dict(test=Rows([], part, part, torch.where(part % 5 == 0, -1, part % 3))), [sample])
            with mock.patch('mmcluster.evaluation.clustering.laid_out', return_value=source != 'cells'):
                found[rows, source] = metric.evaluate(rows), metric.assignments, metric.centers
    return found


HOOK_ROWS = 57
SELECTORS = [('embed+head_probs', dict(type='LocalConsistency', k=5, ratio=0.6, threshold=0.2, num_clusters=CLUSTERS)),
             ('embed', dict(type='SampledKMeans', num_rows=20, num_clusters=CLUSTERS)),
             ('embed', dict(type='FirstRows', num_rows=20,
                            selector=dict(type='RandomRows', sigma=0.4, num_clusters=CLUSTERS)))]


@job
def hooks(folder: Path) -> dict[str, Tensor]:
    """What hooks write to the bank from shares of a sweep that differ in size."""
    model = rowwise(HOOK_ROWS, head=torch.nn.Linear(WIDTH, CLUSTERS))
    torch.nn.init.eye_(model.head.weight)
    model.bank.add_field('neighbors', shape=(5,))
    model.bank.add_field('posterior', shape=(CLUSTERS,), dtype='float32', fill=0)
    runner = fake_runner(model, features=blobs(HOOK_ROWS)[0])
    made = [SelectHook(dict(type='CentroidDistance', num_clusters=CLUSTERS, sigma=0.3, n_init=2)),
            KMeansHook(CLUSTERS, n_init=2, align_to='target', posterior_temperature=0.1), NeighborHook()]
    for hook in made:
        hook.before_train(runner)
        hook.before_train_epoch(runner)
    found = {name: model.bank.field(name).clone() for name in ('target', 'label', 'posterior', 'neighbors')}
    for output, selector in SELECTORS:
        SelectHook(selector, interval=1, output=output).before_train_epoch(runner)
        found[selector['type']] = model.bank.target.clone()
    return found


@job
def graphs(folder: Path) -> dict[str, Tensor]:
    """Lists and degrees of remembered features, of images that all were in a step and of some that were not."""
    found, sampler = {}, StreamSampler(range(HOOK_ROWS), dict(batch=dict(size=4)))
    for missing, normalize in ((0, True), (20, False)):
        model = GCC(FlatNet(), MLPProjector(6, 8, WIDTH, norm=False), LinearClusterHead(6, CLUSTERS),
                    bank=dict(num_samples=HOOK_ROWS), num_neighbors=4)
        model.bank.field('memory')[missing:, 0] = torch.nn.functional.normalize(random(HOOK_ROWS, WIDTH), dim=1)[missing:]
        model.bank.field('seen')[missing:] = 1
        runner = fake_runner(model, features=blobs(HOOK_ROWS)[0], epoch=1)
        runner.train_dataloader.sampler = sampler
        hook = GraphHook(1, normalize=normalize, include_self=normalize)
        hook.before_train(runner)
        hook.before_train_epoch(runner)
        found.update({f'neighbors {missing}': model.bank.neighbors.clone(), f'degree {missing}': model.bank.degree.clone(),
                      f'largest {missing}': torch.tensor(scalar(runner, 'largest_degree')),
                      f'similarity {missing}': torch.tensor(scalar(runner, 'neighbor_similarity'))})
    return found


@job
def first_map(folder: Path) -> dict[str, Tensor]:
    """ASD's first map, named by a trained head."""
    model = rowwise(HOOK_ROWS, fields=('pred',), head=torch.nn.Linear(WIDTH, CLUSTERS))
    torch.nn.init.eye_(model.head.weight)
    model.labeller = ASDLabels(WIDTH, CLUSTERS, 8, 10, window=5)
    groups = torch.tensor([2, 0, 1, 3, 0, 2, 3, 1])
    model.labeller.counts.copy_(5 * (groups[:, None] == groups).long().fill_diagonal_(0))
    model.bank.fill(pred=torch.where(torch.arange(HOOK_ROWS) % 9 > 0, torch.arange(HOOK_ROWS) * 3 % 8, -1))
    runner = fake_runner(model, features=blobs(HOOK_ROWS)[0])
    TransitionHook(interval=1, align_first='head').after_train_iter(runner, 0)
    return dict(map=model.labeller.class_map)


METHODS = {'SCAN': 'MLPClusterHead', 'SPICE': 'MLPClusterHead', 'TEMI': 'MLPClusterHead', 'TURTLE': 'TaskHead'}


@job
def heads(folder: Path) -> dict[str, Tensor]:
    """Losses of all heads by method, and which one is kept."""
    found = {}
    for name, head in METHODS.items():
        torch.manual_seed(0)
        model = MODELS.build(dict(
            type=name, backbone=dict(type='Pixels', out_channels=WIDTH), bank=dict(num_samples=HOOK_ROWS),
            data_preprocessor=dict(type='ViewPreprocessor', mean=[0.], std=[1.], views=[[], []]),
            head=dict(type='MultiHead', num_heads=3, head=dict(type=head, in_channels=WIDTH, num_clusters=CLUSTERS))))
        rows = torch.from_numpy(blobs(HOOK_ROWS)[0])
        if 'neighbors' in model.bank.fills:
            k = model.bank.field('neighbors').shape[1]
            model.bank.fill(neighbors=(torch.arange(HOOK_ROWS)[:, None] + 4 * torch.arange(k)) % HOOK_ROWS)
        else:
            model.bank.fill(feat=rows)
        BestHeadHook().after_train_epoch(fake_runner(model, features=rows.numpy()))
        logits = own(model.head_logits(rows))
        found[name] = model.selection_losses(logits, process_shards()).detach()
        found[f'kept {name}'] = torch.stack([model.best_so_far.head_index.float(), model.best_so_far.loss])
    return found


@job
def votes(folder: Path) -> dict[str, Tensor]:
    """Accuracy of the nearest neighbours; with three rows some processes have none, of the last nothing is known."""
    found = {}
    for rows, known in ((SIZES[0], True), (SIZES[1], True), (SIZES[0], False)):
        metric = KNNMetric(k=7)
        for part in own(torch.arange(rows)).split(20) if len(own(torch.arange(rows))) else ():
            label = torch.where(part % 4 == 1, part % 3, part * 7 % K)       # some are those of no neighbour
            label = label.masked_fill(part % 5 == 0, -1) if known else torch.full_like(part, -1)
            metric.process(dict(test=Rows([], part, part, label)), [dict(index=part, embed=clouds(rows)[part])])
        found[rows, known] = metric.evaluate(rows)
    return found
