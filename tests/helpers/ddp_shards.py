"""Jobs of shares that no number of rows divides into, some of them empty."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from ddp_pool import job, random
from mmengine.dist import get_world_size
from test_engine.fake import D as WIDTH
from test_engine.fake import K as CLUSTERS
from test_engine.fake import blobs, fake_runner, rowwise
from torch import Tensor

from mmcluster.engine.hooks import KMeansHook, NeighborHook, SelectHook
from mmcluster.evaluation import ClusteringMetric
from mmcluster.functional.clustering.kmeans import kmeans
from mmcluster.models.shards import process_shards
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
    """Values and assignments of both sources where some processes have no row."""
    found = {}
    for rows in SIZES[:2]:
        for source in ('kmeans', 'head'):
            metric = ClusteringMetric(source, num_clusters=2, n_init=2)
            index, x = own(torch.arange(rows)), own(clouds(rows))
            for part in index.split(20) if len(index) else ():
                place = part - index[0]
                sample = dict(index=part, embed=x[place], prob=x[place].softmax(1))
                metric.process(dict(test=Rows([], part, part, torch.where(part % 5 == 0, -1, part % 3))), [sample])
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
