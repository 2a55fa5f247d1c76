import numpy as np
import pytest
import torch

from mmcluster.functional.rng import Draws, mix64

MASK = (1 << 64) - 1


def splitmix(word):
    """SplitMix64's finaliser on Python integers: the oracle."""
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB & MASK
    return word ^ (word >> 31)


def oracle(draw, index, view, count):
    """The first numbers of one row, in Python integers."""
    weyl = 0x9E3779B97F4A7C15
    key = splitmix((draw + weyl) & MASK)
    key = splitmix(((key ^ (index & MASK)) + weyl) & MASK)
    key = splitmix(((key ^ view) + weyl) & MASK)
    return [(splitmix((key + (i + 1) * weyl) & MASK) >> 40) / 2 ** 24 for i in range(count)]


def make(n=500, view=0, seed=0):
    return Draws((torch.tensor(seed) << 32) + torch.arange(n), torch.arange(n) * 7 % 1000, view)


def test_mix64_is_the_published_finaliser():
    # First outputs of SplitMix64 seeded with 1234567, a vector that circulates with the reference code.
    weyl = 0x9E3779B97F4A7C15 - (1 << 64)
    words = mix64(1234567 + torch.arange(1, 6) * weyl)
    assert [word & MASK for word in words.tolist()] == [
        6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]


@pytest.mark.parametrize('draw,index,view', [(0, 0, 0), (1, 0, 0), ((5 << 32) | 77, 59_999, 1), (2 ** 62, 3, 2)])
def test_uniform_equals_integer_arithmetic(draw, index, view):
    draws = Draws(torch.tensor([draw]), torch.tensor([index]), view)
    got = torch.cat((draws.uniform(3), draws.uniform(2)), 1)[0]
    assert got.tolist() == oracle(draw, index, view, 5)


def test_calls_continue_the_sequence():
    whole, split = make(), make()
    assert torch.equal(whole.uniform(5), torch.cat([split.uniform(n) for n in (1, 3, 1)], 1))


def test_row_depends_on_its_own_numbers_only():
    full = make(64).uniform(4)
    rows = torch.tensor([5, 60, 5, 0])
    some = Draws(rows.clone(), rows * 7 % 1000, 0).uniform(4)
    assert torch.equal(some, full[rows])


def test_draw_index_and_view_all_matter():
    base = Draws(torch.tensor([3]), torch.tensor([4]), 0).uniform(8)
    for draw, index, view in ((4, 4, 0), (3, 5, 0), (3, 4, 1), (4, 3, 0)):
        assert (Draws(torch.tensor([draw]), torch.tensor([index]), view).uniform(8) != base).all()


def test_uniform_is_uniform_and_uncorrelated():
    numbers = torch.cat([make(2000, view, seed).uniform(6) for view in (0, 1) for seed in (0, 1)], 1).double()
    assert numbers.min() >= 0 and numbers.max() < 1
    counts = torch.histc(numbers, 20, 0, 1)
    expected = numbers.numel() / 20
    assert ((counts - expected) ** 2 / expected).sum() < 45          # chi-square, 19 degrees: 99.9 % is 43.8
    correlation = np.corrcoef(numbers.numpy().T) - np.eye(numbers.shape[1])
    assert np.abs(correlation).max() < 0.1
    lagged = torch.corrcoef(torch.stack((numbers[1:].flatten(), numbers[:-1].flatten())))[0, 1]
    assert abs(lagged) < 0.02


def test_helpers():
    n = 20_000
    coin = make(n).bernoulli(0.3)
    assert coin.dtype == torch.bool and abs(coin.double().mean() - 0.3) < 0.015
    assert not make(n).bernoulli(0.).any() and make(n).bernoulli(1.).all()
    value = make(n).uniform_between(-2., 6.)
    assert value.shape == (n,) and value.min() >= -2 and value.max() <= 6 and abs(value.mean() - 2) < 0.1
    integer = make(n).integers(9)
    assert integer.dtype == torch.long and torch.bincount(integer).min() > n / 9 * 0.9 and integer.max() == 8
    high = torch.arange(n) % 5 + 1
    assert (make(n).integers(high) < high).all() and (make(n).integers(1) == 0).all()


def test_permutations_are_equally_likely():
    order = make(24_000).permutation(4)
    assert torch.equal(order.sort(1).values, torch.arange(4).expand(24_000, 4))
    counts = torch.bincount((order * torch.tensor([64, 16, 4, 1])).sum(1))
    counts = counts[counts > 0]
    assert len(counts) == 24 and ((counts - 1000) ** 2 / 1000).sum() < 50     # 23 degrees: 99.9 % is 49.7


def test_shapes_are_checked():
    with pytest.raises(ValueError, match='must both be'):
        Draws(torch.zeros(3, dtype=torch.long), torch.zeros(2, dtype=torch.long), 0)
    assert len(make(3)) == 3
