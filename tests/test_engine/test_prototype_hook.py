"""The E-step of PCL: several clusterings of one sweep, in the bank and in buffers of the model."""
import pytest
import torch

from mmcluster.engine.extract import extract, sweep_loader
from mmcluster.engine.hooks import PrototypeHook
from mmcluster.functional.clustering.kmeans import kmeans
from mmcluster.functional.losses.contrast import unit_rows
from mmcluster.functional.losses.granular import concentration
from mmcluster.models.clusterers.pcl import Granularities

from .fake import D, N, fake_runner, rowwise

SIZES = [3, 6]


def runner_of(**options):
    model = rowwise()
    model.bank.add_field('granular', shape=(len(SIZES),))
    model.granularities = Granularities(SIZES, D, temperature=0.5, **options)
    return fake_runner(model, seed=5)


@pytest.mark.parametrize('unit', [True, False])
def test_every_granularity_is_clustered_and_measured(unit):
    runner = runner_of(unit=unit)
    runner.epoch = 3
    PrototypeHook(n_init=2).before_train_epoch(runner)
    rows = unit_rows(extract(runner.model, sweep_loader(runner.train_dataloader.dataset), N))
    part, start = runner.model.granularities, 0
    for place, clusters in enumerate(SIZES):
        result = kmeans(rows, clusters, n_init=2, seed=8)
        found = concentration(rows, result.labels, result.centers, 0.5)
        span = slice(start, start + clusters)
        assert torch.equal(runner.model.bank.granular[:, place], result.labels)
        torch.testing.assert_close(part.prototypes[span], found.prototypes if unit else result.centers)
        torch.testing.assert_close(part.density[span], found.density)
        assert torch.equal(part.counts[span], found.counts) and part.counts[span].sum() == N
        start += clusters


def test_an_estep_that_is_not_due_leaves_all_of_it():
    runner, hook = runner_of(), PrototypeHook(n_init=1, begin=2, interval=2)
    for runner.epoch in (0, 1):
        hook.before_train_epoch(runner)
    assert not runner.model.bank.is_set('granular') and runner.model.granularities.counts.sum() == 0
    runner.epoch = 2
    hook.before_train_epoch(runner)
    kept = {name: value.clone() for name, value in runner.model.named_buffers()}
    runner.epoch = 3
    hook.before_train_epoch(runner)
    assert all(torch.equal(value, kept[name]) for name, value in runner.model.named_buffers())


def test_mistakes_are_named():
    with pytest.raises(ValueError, match='has no clusters of several granularities; PCL and BYOLPCL have'):
        PrototypeHook().before_train(fake_runner())
    runner = runner_of()
    runner.model.granularities.num_clusters.append(N + 1)
    with pytest.raises(ValueError, match=f'fewer than num_clusters={N + 1}'):
        PrototypeHook().before_train(runner)
