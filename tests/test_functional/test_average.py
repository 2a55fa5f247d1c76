from __future__ import annotations

import pytest
import torch

from mmcluster.functional.average import lerp_, moving_average


def test_lerp_follows_the_recursion_written_out() -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = [(3, 4), (), (5,), (2, 1, 3)]
    targets = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]
    by_hand = [target.flatten().tolist() for target in targets]
    for _ in range(5):
        sources = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]
        lerp_(targets, sources, 0.9)
        by_hand = [[0.9 * old + 0.1 * new for old, new in zip(own, source.flatten().tolist())]
                   for own, source in zip(by_hand, sources)]
    for target, own in zip(targets, by_hand):
        torch.testing.assert_close(target.flatten(), torch.tensor(own, dtype=torch.float64))


def test_lerp_of_a_constant_source_decays_geometrically() -> None:
    target = torch.zeros(3, dtype=torch.float64)
    for _ in range(200):
        lerp_([target], [torch.ones(3, dtype=torch.float64)], 0.99)
    torch.testing.assert_close(target, torch.full((3,), 1 - 0.99 ** 200, dtype=torch.float64))


def test_lerp_mixes_types_and_copies_integers() -> None:
    targets = [torch.zeros(2), torch.zeros(2, dtype=torch.float64), torch.zeros(2, dtype=torch.bfloat16),
               torch.zeros((), dtype=torch.long), torch.zeros(2, dtype=torch.bool), torch.zeros(2)]
    sources = [torch.ones(2), torch.ones(2), torch.ones(2), torch.tensor(7), torch.tensor([True, False]),
               torch.full((2,), 4., dtype=torch.bfloat16)]
    types = [target.dtype for target in targets]
    lerp_(targets, sources, 0.75)
    assert [target.dtype for target in targets] == types
    assert [target.tolist() for target in targets] == [[.25] * 2, [.25] * 2, [.25] * 2, 7, [True, False], [1.] * 2]


@pytest.mark.parametrize('decay, expected', [(1., [1., 2.]), (0., [5., 7.])])
def test_lerp_ends_of_the_range(decay: float, expected: list[float]) -> None:
    target = torch.tensor([1., 2.])
    lerp_([target], [torch.tensor([5., 7.])], decay)
    assert target.tolist() == expected


def test_lerp_shares_no_memory_and_leaves_sources_alone() -> None:
    for dtype in (torch.float32, torch.float64, torch.long):
        target, source = torch.zeros(3, dtype=dtype), torch.arange(3).to(dtype)
        before = source.clone()
        lerp_([target], [source], 0.)
        assert torch.equal(source, before) and torch.equal(target, source)
        source.add_(1)
        assert torch.equal(target, before)


def test_lerp_moves_parameters_without_a_graph() -> None:
    own, new = torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.ones(2))
    storage = own.data_ptr()
    lerp_([own], [new], 0.5)
    assert own.is_leaf and own.data_ptr() == storage and own.tolist() == [0.5, 0.5]


def test_lerp_takes_empty_lists_and_refuses_unequal_ones() -> None:
    lerp_([], [], 0.9)
    with pytest.raises(ValueError, match='2 averages but 1'):
        lerp_([torch.zeros(1), torch.zeros(1)], [torch.zeros(1)], 0.9)
    with pytest.raises(ValueError, match='shape'):
        lerp_([torch.zeros(3)], [torch.zeros(1)], 0.9)


def test_moving_average_is_new_and_differentiable() -> None:
    old, new = torch.tensor([1., 2.]), torch.tensor([3., 6.], requires_grad=True)
    result = moving_average(old, new, 0.75)
    assert result.tolist() == [1.5, 3.] and old.tolist() == [1., 2.]
    assert torch.autograd.grad(result.sum(), new)[0].tolist() == [.25, .25]
