"""SCAN's clustering step: two forward passes, heads that are summed, the head that is kept, frozen networks."""
import math

import pytest
import torch
from small_models import D, FlatNet, K, N, assert_same, disturb, gradients, views

from mmcluster.functional.losses.consistency import expected_log, scan_loss
from mmcluster.models import Boost
from mmcluster.models.clusterers import SCAN
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

pytestmark = pytest.mark.usefixtures('engine')
NECK = dict(type='MLPProjector', in_channels=6, hid_channels=8, out_channels=D)
HEADS = dict(type='MultiHead', num_heads=3, head=dict(type='LinearClusterHead', in_channels=6, num_clusters=K))
FIRST, SECOND = torch.arange(8), torch.arange(8) + 9


def scan(seed=0, **options):
    torch.manual_seed(seed)
    model = SCAN(**{**dict(backbone=FlatNet(), head=HEADS, bank=dict(num_samples=N), num_neighbors=3), **options})
    model.init_weights()
    disturb(model.head, seed, scale=1.)
    return model.train()


def streams(seed=0, size=8):
    anchor, neighbor = views(seed, size)
    return dict(anchor=Batch([anchor], FIRST[:size]), neighbor=Batch([neighbor], SECOND[:size]))


def mine(model, seed=0):
    generator = torch.Generator().manual_seed(seed)
    rows = torch.stack([torch.randperm(N, generator=generator)[:4] for _ in range(N)])
    model.bank.fill(neighbors=torch.cat([torch.arange(N)[:, None], rows[:, 1:]], 1))
    return model.bank.neighbors


# ---- the loss

def by_hand(model, anchor, neighbor, weight):
    """Sum over heads; batch norm sees anchors and neighbours apart."""
    feats = [model.backbone(batch.views[0]) for batch in (anchor, neighbor)]
    return sum(scan_loss(*(head(feat).log_softmax(1) for feat in feats), weight).total for head in model.head.heads)


@pytest.mark.parametrize('weight', [5., 2., 0.])
def test_the_loss_is_the_sum_over_heads(weight):
    model, other = scan(entropy_weight=weight), scan()
    losses = model.loss(**streams())
    expected = by_hand(other, *streams().values(), weight)
    total = losses['loss_consistency'] + losses['loss_entropy']
    torch.testing.assert_close(total, expected, rtol=1e-5, atol=1e-6)
    total.backward()
    expected.backward()
    assert_same(gradients(model), gradients(other), atol=1e-5)
    assert_same(dict(model.backbone.named_buffers()), dict(other.backbone.named_buffers()))
    assert model.backbone.bn.num_batches_tracked == 2
    assert 0 < losses['entropy'] <= math.log(K) + 1e-6 and not losses['entropy'].requires_grad


def test_anchors_and_neighbors_both_learn_and_differ():
    """Entropy looks at anchors only, so the two streams are not interchangeable."""
    given = streams()
    swapped = dict(anchor=given['neighbor'], neighbor=given['anchor'])
    first, second = (scan().loss(**batches) for batches in (given, swapped))
    torch.testing.assert_close(first['loss_consistency'], second['loss_consistency'])
    assert (first['loss_entropy'] - second['loss_entropy']).abs() > 1e-4
    for name in given:
        given[name].views[0].requires_grad_()
    scan().loss(**given)['loss_consistency'].backward()
    assert all(batch.views[0].grad.abs().sum() > 0 for batch in given.values())


def test_a_prior_moves_the_mean_prediction_to_its_shares():
    shares = [4., 2., 1., 1.]
    prior = torch.tensor(shares) / 8
    losses = scan(prior=shares).loss(**streams())
    p = torch.stack([head(scan().backbone(streams()['anchor'].views[0])).softmax(1).mean(0)
                     for head in scan().head.heads])
    relative = (p * (p / prior).log()).sum(1)
    torch.testing.assert_close(losses['loss_entropy'], 5 * relative.sum(), rtol=1e-4, atol=1e-5)
    equal, plain = (scan(**options).loss(**streams())['loss_entropy'] for options in (dict(prior=[.25] * 4), {}))
    torch.testing.assert_close(equal, plain + 5 * 3 * math.log(4))
    assert 'log_prior' not in scan(prior=shares).state_dict()
    for prior in ([1., 1., 1.], [1., 1., 1., 0.], [1., 1., 1., math.inf]):
        with pytest.raises(ValueError, match='prior must be 4 positive shares'):
            scan(prior=prior)


@pytest.mark.parametrize('size', [1, 2])
def test_a_batch_smaller_than_the_number_of_clusters(size):
    """Also of a single pair, with the frozen network whose batch norm does not need more."""
    model = scan(freeze=True)
    losses = model.loss(**streams(size=size))
    sum(losses.values()).backward()
    assert all(value.shape == () and value.isfinite() for value in losses.values())
    assert all(p.grad.isfinite().all() and p.grad.abs().sum() > 0 for p in model.head.parameters())


def test_certain_predictions_that_disagree_are_finite():
    model = scan()
    with torch.no_grad():
        for head in model.head.heads:
            head.fc.weight.mul_(1e4)
    losses = model.loss(**streams())
    sum(losses.values()).backward()
    assert losses['loss_consistency'] > 10
    assert all(value.isfinite().all() for value in gradients(model).values())


# ---- what trains

def test_a_frozen_network_stays():
    model = scan(freeze=True)
    before = {name: value.clone() for name, value in model.backbone.state_dict().items()}
    sum(model.loss(**streams()).values()).backward()
    assert not model.backbone.training and model.head.training
    assert {name.split('.')[0] for name in gradients(model)} == {'head'}
    assert_same(model.backbone.state_dict(), before, atol=0)
    assert set(model.best_so_far.names) == {'head'} and set(scan().best_so_far.names) == {'backbone', 'head'}


def test_backbone_and_neck_come_from_the_pretext_network(tmp_path):
    simclr = dict(type='SimCLR', backbone=dict(type='FlatNet'), projector=NECK)
    pretext = MODELS.build(simclr)
    disturb(pretext, 5)
    torch.save(dict(state_dict=pretext.state_dict()), tmp_path / 'simclr.pth')
    model = scan(base=dict(simclr, init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'simclr.pth'))),
                 backbone=None)
    assert_same(model.backbone.state_dict(), pretext.backbone.state_dict(), atol=0)
    assert {name.split('.')[0] for name in model.state_dict()} == {'backbone', 'head', 'best_so_far', 'bank'}


# ---- selection

def test_selection_is_a_loop_over_all_pairs():
    model = scan(selection_entropy_weight=1.)
    neighbors = mine(model)
    logits = torch.randn(N, 3, K, generator=torch.Generator().manual_seed(1))
    prob = logits.double().softmax(2)
    expected = []
    for h in range(3):
        pairs = [-(prob[i, h] @ prob[j, h]).log().item() for i in range(N) for j in neighbors[i].tolist()]
        mean = prob[:, h].mean(0)
        expected.append(sum(pairs) / len(pairs) + (mean * mean.log()).sum().item())
    assert model.selection_losses(logits).tolist() == pytest.approx(expected, rel=1e-5)
    prior = scan(prior=[4., 2., 1., 1.])
    mine(prior)
    shares = (prob.mean(0) @ (torch.tensor([4., 2., 1., 1.]).double() / 8).log()).tolist()
    assert prior.selection_losses(logits).tolist() == pytest.approx(
        [loss - share for loss, share in zip(expected, shares)], rel=1e-5)


def test_a_column_without_neighbors_is_left_out():
    """``include_self=False`` leaves the first column empty."""
    model, other = scan(), scan(num_neighbors=2)
    neighbors = mine(model).clone()
    other.bank.fill(neighbors=neighbors[:, 1:])
    model.bank.neighbors[:, 0] = -1
    logits = torch.randn(N, 3, K)
    torch.testing.assert_close(model.selection_losses(logits), other.selection_losses(logits))
    model.bank.fill(neighbors=torch.full((N, 4), -1))
    with pytest.raises(RuntimeError, match='bank.neighbors is not filled.*NeighborHook'):
        model.selection_losses(logits)


def test_the_head_that_respects_neighbors_is_kept_and_deployed():
    """Clusters of rows 0-6, 7-13, ...: one head knows them, one has collapsed, one is at random."""
    model = scan(freeze=True)
    cluster = torch.arange(N) * K // N
    model.bank.fill(neighbors=torch.stack([torch.arange(N)] + [
        torch.tensor([rows[(rows == i).nonzero()[0, 0].item() - s] for i in range(N)
                      for rows in [(cluster == cluster[i]).nonzero().flatten()]]) for s in (1, 2, 3)], 1))
    eye = 6 * torch.eye(K)
    logits = torch.stack([eye[torch.randperm(N) % K], eye[cluster], eye[torch.zeros(N, dtype=torch.long)]], 1)
    losses = model.selection_losses(logits)
    assert losses.argmin() == 1
    assert model.keep_if_better(losses) and not model.keep_if_better(losses)
    assert int(model.best_so_far.head_index) == 1
    assert torch.equal(model.deployed()[2].fc.weight, model.head.heads[1].fc.weight)
    x = views()[0]
    torch.testing.assert_close(model.eval().logits(x), model.head.heads[1](model.backbone(x)))
    boost = Boost(base=None, backbone=model.backbone, head=model.deployed()[2])
    torch.testing.assert_close(boost.eval().logits(x), model.logits(x))


@pytest.mark.parametrize('options, problem', [
    (dict(bank=None), 'give it bank='), (dict(num_neighbors=0), 'num_neighbors must be at least 1'),
    (dict(backbone=None), 'needs a base')])
def test_wrong_arguments(options, problem):
    with pytest.raises(ValueError, match=problem):
        scan(**options)


def test_a_bank_with_another_number_of_neighbors_does_not_load():
    state = scan(num_neighbors=5).state_dict()
    with pytest.raises(ValueError, match=r"bank field 'neighbors' has shape \(30, 6\), this run needs \(30, 4\)"):
        scan().load_state_dict(state)


def test_a_prior_keeps_its_digits_under_autocast():
    """At the shares that are expected the relative entropy is 0, a difference of two close numbers."""
    prior = (torch.arange(10) + 1.) / 55
    with torch.autocast('cpu', torch.bfloat16):
        found = expected_log(prior.expand(2, 10), prior.log())
    torch.testing.assert_close(found, (prior * prior.log()).sum().expand(2))
