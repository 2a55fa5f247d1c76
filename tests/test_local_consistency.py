"""The selector of SPICE's reliable labels."""
import pytest
import torch
from reduced import forget

from mmcluster.selectors import LocalConsistency

K, N, D = 3, 60, 5


@pytest.fixture
def groups():
    """Three groups of twenty points, and a head that knows them but for the last three rows."""
    torch.manual_seed(0)
    label = torch.arange(N) % K
    embed = 3 * torch.eye(K, D)[label] + 0.1 * torch.randn(N, D)
    logits = 9. * torch.eye(K)[label]
    logits[-3:] = 9. * torch.eye(K)[(label[-3:] + 1) % K]
    yield embed, logits.softmax(1), label
    forget()


def select(embed, prob, **options):
    return LocalConsistency(**dict(dict(num_clusters=K, k=10, ratio=0.9, threshold=0.9), **options))(embed, prob)


def test_rows_that_disagree_with_their_neighbors_get_no_label(groups):
    embed, prob, label = groups
    target = select(embed, prob, balanced=False)
    assert (target[-3:] == -1).all()
    assert (target[:-3] == label[:-3]).float().mean() > 0.8 and ((target == -1) | (target == label)).all()


def test_balance_floor_and_confidence(groups):
    embed, prob, label = groups
    prob = prob.clone()
    prob[label == 1] = torch.tensor([0.1, 0.8, 0.1])
    prob[4] = torch.tensor([0., 1., 0.])
    sizes = torch.bincount(select(embed, prob) + 1, minlength=4)[1:]
    assert sizes.tolist() == [1, 1, 1]
    sizes = torch.bincount(select(embed, prob, floor=6) + 1, minlength=4)[1:]
    assert sizes.tolist() == [6, 6, 6]
    assert torch.bincount(select(embed, prob, threshold=None) + 1, minlength=4)[1:].min() > 10
    prob[4] = prob[1]
    with pytest.raises(ValueError, match=r'clusters \[1\] have no reliable row.*floor'):
        select(embed, prob)
    assert torch.equal(select(embed, prob, floor=6, seed=1), select(embed, prob, floor=6, seed=1))


def test_without_a_head_labels_are_clusters_of_the_embedding(groups):
    embed, _, label = groups
    target = select(embed, None, balanced=False)
    chosen = target >= 0
    assert chosen.float().mean() > 0.9
    assert len({(int(a), int(b)) for a, b in zip(target[chosen], label[chosen])}) == K


def test_fewer_clusters_than_k(groups, caplog):
    embed, prob, label = groups
    prob = prob.clone()
    prob[:, 0] = 0.
    target = select(embed, prob, threshold=None, ratio=0.3)
    assert set(target.tolist()) - {-1} == {1, 2}


@pytest.mark.parametrize('change, words', [
    (dict(embed=None), 'embed'), (dict(prob=torch.ones(N, 4) / 4), 'num_clusters=3'),
    (dict(prob=torch.ones(50, K)), '50'), (dict(embed=torch.full((N, D), float('nan'))), 'NaN')])
def test_bad_input(groups, change, words):
    embed, prob, _ = groups
    given = {**dict(embed=embed, prob=prob), **change}
    with pytest.raises(ValueError, match=words):
        select(given['embed'], given['prob'])


@pytest.mark.parametrize('options, words', [
    (dict(k=61), 'lower k'), (dict(k=0), 'at least 1'), (dict(ratio=1.1), 'ratio'), (dict(num_clusters=1), 'at least 2')])
def test_bad_options(groups, options, words):
    with pytest.raises(ValueError, match=words):
        select(groups[0], groups[1], **options)
