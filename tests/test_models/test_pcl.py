"""PCL on MoCo and on BYOL: what is added to them, when, and on which rows."""
import copy

import pytest
import torch
from small_models import B, D, FlatNet, N, assert_same, batch, disturb, gradients, parts
from sync_guard import SyncGuard
from torch import nn

from mmcluster.functional.losses.granular import prototype_nce
from mmcluster.models.clusterers import BYOL, BYOLPCL, PCL, MoCo
from mmcluster.models.clusterers.pcl import Granularities
from mmcluster.models.necks import MLPProjector

pytestmark = pytest.mark.usefixtures('engine')
SIZES = [3, 5]
OPTIONS = dict(granularities=SIZES, bank=dict(num_samples=N), proto_weight=0.5)


def fill(model):
    """Clusters as an E-step leaves them; one of each granularity is empty."""
    if isinstance(getattr(model, 'granularities', None), Granularities):
        generator = torch.Generator().manual_seed(7)
        part = model.granularities
        part.prototypes.copy_(nn.functional.normalize(torch.randn(8, D, generator=generator), dim=1))
        part.density.copy_(torch.rand(8, generator=generator) + 0.5)
        part.counts.copy_(torch.tensor([15, 15, 0, 8, 8, 7, 7, 0]))
        model.bank.fill(granular=torch.stack([torch.arange(N) % 2, torch.arange(N) % 4], 1))
    disturb(model.teacher, 1)
    return model.train()


def pcl(kind=PCL, seed=0, **options):
    torch.manual_seed(seed)
    given = dict(OPTIONS, **options) if kind is PCL else dict(directions='mean', deploy='key')
    return fill(kind(FlatNet(), MLPProjector(6, 8, D, norm=False), queue_size=4 * B, temperature=0.4, **given))


def byol(kind=BYOLPCL, seed=0, **options):
    torch.manual_seed(seed)
    return fill(kind(**parts(), **(dict(OPTIONS, **options) if kind is BYOLPCL else {})))


def slow_proto(model, rows, index):
    """One granularity and one view at a time, written with the function that the vectors pin."""
    part, start, total = model.granularities, 0, 0.
    for place, size in enumerate(SIZES):
        span = slice(start, start + size)
        for q in rows:
            total = total + prototype_nce(q, model.bank.granular[index, place], part.prototypes[span],
                                          part.density[span], part.counts[span] > 0) / len(rows) / len(SIZES)
        start += size
    return total


@pytest.mark.parametrize('make, base, rows', [
    (pcl, MoCo, lambda model, views: [model.project(view) for view in views]),
    (byol, BYOL, lambda model, views: model.online(views))], ids=['moco', 'byol'])
def test_what_is_added(make, base, rows):
    """The losses are those of the method below, plus ProtoNCE of the queries of both views; so are the gradients."""
    alone, model = make(base), make()
    model.load_state_dict(alone.state_dict(), strict=False)
    slow = copy.deepcopy(model)
    expected, losses = alone.loss(batch()), model.loss(batch())
    name, = (key for key in expected if key.startswith('loss_'))
    torch.testing.assert_close(losses[name], expected[name])
    proto = slow_proto(slow, rows(slow, batch().views), batch().index)
    torch.testing.assert_close(losses['loss_proto'], 0.5 * proto)
    assert losses['loss_proto'] > 0.1
    (losses[name] + losses['loss_proto']).backward()
    expected[name].backward()
    (0.5 * proto).backward()
    base_gradients, added = gradients(alone), gradients(slow)
    assert_same(gradients(model), {key: value + added.get(key, torch.zeros_like(value))
                                   for key, value in base_gradients.items()}, atol=1e-5)
    assert not any(key.startswith('predictor') for key in added), 'of the projections, not of the predictions'


def test_the_sum_of_directions_doubles_both_terms():
    mean, total = pcl().loss(batch()), pcl(directions='sum').loss(batch())
    for key in ('loss_moco', 'loss_proto'):
        torch.testing.assert_close(total[key], 2 * mean[key])


@pytest.mark.parametrize('make', [pcl, byol])
def test_a_weight_of_zero_skips_it(make):
    """So it may be 0 before the first E-step."""
    model = make(proto_weight=0.)
    model.granularities.density.fill_(float('nan'))
    model.bank.granular.fill_(-1)
    losses = model.loss(batch())
    assert 'loss_proto' not in losses and all(value.isfinite() for value in losses.values())


def test_drawn_prototypes_are_outside_of_the_batch(monkeypatch):
    model = pcl(draws=50)
    label, counts = torch.tensor([0, 0, 3]), torch.ones(5)
    columns = model.granularities.columns(label, counts)
    assert columns.sum() == 50 and columns[[0, 3]].sum() == 0 and (columns[[1, 2, 4]] > 0).all()
    assert pcl().granularities.columns(label, torch.tensor([4, 0, 1])).tolist() == [1, 0, 1]
    assert model.loss(batch())['loss_proto'] > pcl().loss(batch())['loss_proto'], 'more negatives'


@pytest.mark.parametrize('make', [pcl, byol])
def test_a_step_does_not_wait_for_the_device_and_computes_in_float32(make):
    model = make(**(dict(draws=20) if make is pcl else {}))
    with SyncGuard(), torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model.loss(batch())
    assert {value.dtype for value in losses.values()} == {torch.float32}
    sum(value for key, value in losses.items() if key.startswith('loss_')).backward()
    assert all(param.grad.isfinite().all() for param in model.parameters() if param.grad is not None)


@pytest.mark.parametrize('make', [pcl, byol])
def test_what_an_estep_knows_is_in_checkpoints(make):
    model, other = make(), make(seed=9)
    names = set(model.state_dict())
    assert {f'granularities.{name}' for name in ('prototypes', 'density', 'counts')} | {'bank.granular'} <= names
    other.load_state_dict(copy.deepcopy(model.state_dict()))
    assert torch.equal(other.loss(batch())['loss_proto'], model.loss(batch())['loss_proto'])
    assert model.deployed()[0] is model.teacher.backbone and model.deployed()[1] is not None


def test_mistakes_are_named():
    with pytest.raises(ValueError, match='PCL keeps clusters per sample: give it bank'):
        pcl(bank=None)
    with pytest.raises(ValueError, match='num_clusters is empty'):
        pcl(granularities=[])
    with pytest.raises(ValueError, match='must be at least 2, got 1'):
        byol(granularities=[4, 1])
    with pytest.raises(ValueError, match='proto_weight'):
        pcl(proto_weight=-1.)
