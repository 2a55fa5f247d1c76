"""Jobs of shares that no number of rows divides into, some of them empty."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from ddp_pool import job, random
from mmengine.dist import get_world_size
from torch import Tensor

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
