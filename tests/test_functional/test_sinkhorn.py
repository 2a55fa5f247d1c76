"""Optimal transport against loops, POT and its optimality conditions."""
from __future__ import annotations

import itertools
import math

import pytest
import torch
from sync_guard import SyncGuard
from torch import Tensor

from mmcluster.functional.labels.sinkhorn import DOMAINS, MOST_RELAX, sinkhorn, sinkhorn_domain

F64 = torch.float64
FAR = dict(sweeps=20000, tol=1e-12)
RELAX = (1., 1.5, MOST_RELAX)


def costs(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def masses(size: int, seed: int) -> Tensor:
    mass = 0.1 + costs(size, seed=seed)
    return mass / mass.sum()


def slow(cost: Tensor, reg: float, a: list[float], b: list[float], sweeps: int, relax: float = 1.,
         duals: list[float] | None = None) -> Tensor:
    """Labels by the textbook's loops; keeps the dual after every half sweep."""
    n, m = cost.shape
    kernel = [[math.exp(-cost[i, j].item() / reg) for j in range(m)] for i in range(n)]
    u, v = None, [1.] * m

    def beyond(new: list[float], old: list[float]) -> list[float]:
        return [x * min(x / y, 2.) ** (relax - 1) for x, y in zip(new, old)]

    def note() -> None:
        total = sum(u[i] * kernel[i][j] * v[j] for i in range(n) for j in range(m))
        duals.append(sum(map(lambda x, y: x * math.log(y), [*a, *b], [*u, *v])) - total)

    for _ in range(sweeps):
        new = [a[i] / sum(kernel[i][j] * v[j] for j in range(m)) for i in range(n)]
        u = new if u is None else beyond(new, u)
        if duals is not None:
            note()
        v = beyond([b[j] / sum(kernel[i][j] * u[i] for i in range(n)) for j in range(m)], v)
        if duals is not None:
            note()
    rows = [[kernel[i][j] * v[j] for j in range(m)] for i in range(n)]
    return torch.tensor([[entry / sum(row) for entry in row] for row in rows], dtype=F64)


@pytest.mark.parametrize('domain', DOMAINS)
@pytest.mark.parametrize('sweeps', [0, 1, 7, 300])
@pytest.mark.parametrize('relax', RELAX)
def test_sweeps_against_loops(domain: str, sweeps: int, relax: float) -> None:
    cost, a, b = costs(4, 6), masses(4, 1), masses(6, 2)
    found = sinkhorn(cost, 0.1, a, b, sweeps, domain=domain, relax=relax)
    # The least cost of a row and a column is taken off first, which moves the start of the sweeps.
    taken = cost - cost.amin(1, keepdim=True)
    expected = slow(taken - taken.amin(0, keepdim=True), 0.1, a.tolist(), b.tolist(), sweeps, relax)
    torch.testing.assert_close(found.label, expected)
    torch.testing.assert_close(found.plan, a[:, None] * expected)


@pytest.mark.parametrize('relax', RELAX)
def test_the_dual_never_falls(relax: float) -> None:
    """From the first half sweep on, also where factors change by orders of magnitude."""
    for seed in range(4):
        duals: list[float] = []
        slow(costs(5, 7, seed=seed) ** 3, 0.004, masses(5, 1).tolist(), masses(7, 2).tolist(), 60, relax, duals)
        assert min(after - before for before, after in zip(duals, duals[1:])) > -1e-12 * abs(duals[-1])
        assert duals[-1] > duals[0] + 0.1


@pytest.mark.parametrize('domain', DOMAINS)
def test_relaxed_sweeps_lead_further(domain: str) -> None:
    errors = [float(sinkhorn(costs(30, 30), 0.01, sweeps=100, domain=domain, relax=relax).error) for relax in RELAX]
    assert errors[0] > 3 * errors[1] and errors[0] > 20 * errors[2]


@pytest.mark.parametrize('domain', DOMAINS)
@pytest.mark.parametrize('relax', RELAX)
@pytest.mark.parametrize('n,m,reg', [(5, 5, 0.5), (7, 4, 0.05), (12, 12, 0.02)])
def test_the_plan_is_optimal_and_pot_s(domain: str, relax: float, n: int, m: int, reg: float) -> None:
    """Log plan + cost / reg is a sum of one number for the row and one for the column, and the masses are met."""
    import ot
    cost, a, b = costs(n, m), masses(n, 1), masses(m, 2)
    found = sinkhorn(cost, reg, a, b, **FAR, domain=domain, relax=relax)
    assert found.error <= 1e-12
    torch.testing.assert_close(found.plan.sum(1), a, atol=1e-14, rtol=0)
    torch.testing.assert_close(found.plan.sum(0), b, atol=1e-12, rtol=0)
    rest = found.plan.log() + cost / reg
    rest = rest - rest.mean(0) - rest.mean(1, keepdim=True) + rest.mean()
    assert rest.abs().max() < 1e-9
    expected = ot.sinkhorn(a.numpy(), b.numpy(), cost.numpy(), reg, method='sinkhorn_log', numItermax=20000,
                           stopThr=1e-13)
    torch.testing.assert_close(found.plan, torch.from_numpy(expected), atol=1e-10, rtol=0)


def test_a_small_regularisation_needs_the_log_domain() -> None:
    """Costs 1000 times the regularisation: the plan is the best permutation."""
    cost = torch.ones(5, 5, dtype=F64)
    best = torch.tensor([3, 0, 4, 1, 2])
    cost[torch.arange(5), best] = 0.2
    cost[0, 0] = 0.1
    found = sinkhorn(cost, 1e-3, **FAR, domain='log')
    assert found.label.argmax(1).tolist() == best.tolist() and found.label.amax(1).min() > 1 - 1e-4
    assert (sinkhorn_domain(1.1 / 1e-3), sinkhorn_domain(499.), sinkhorn_domain(500.)) == ('log', 'kernel', 'log')


@pytest.mark.parametrize('domain', DOMAINS)
def test_any_regularisation_has_a_finite_value(domain: str) -> None:
    cost = costs(6, 6)
    for reg, relax in itertools.product((1e-6, 1e6), RELAX):
        found = sinkhorn(cost, reg, sweeps=50, domain=domain, relax=relax)
        assert all(value.isfinite().all() for value in found)
        torch.testing.assert_close(found.label.sum(1), torch.ones(6, dtype=F64))


@pytest.mark.parametrize('domain', DOMAINS)
@pytest.mark.parametrize('relax', RELAX)
def test_a_batch_is_its_problems(domain: str, relax: float) -> None:
    cost, reg, b = costs(3, 2, 5, 4), torch.tensor([[0.1, 0.2], [0.3, 0.05], [1., 0.5]]), costs(3, 2, 4, seed=1) + 0.1
    b = b / b.sum(-1, keepdim=True)
    found = sinkhorn(cost, reg, None, b, 40, domain=domain, relax=relax)
    for i in range(3):
        for j in range(2):
            one = sinkhorn(cost[i, j], float(reg[i, j].double()), None, b[i, j], 40, domain=domain, relax=relax)
            for whole, part in zip(found, one):
                torch.testing.assert_close(whole[i, j], part)


@pytest.mark.parametrize('domain', DOMAINS)
def test_laws(domain: str) -> None:
    cost, a, b = costs(6, 5), masses(6, 1), masses(5, 2)
    plan = sinkhorn(cost, 0.1, a, b, **FAR, domain=domain).plan
    rows, columns = torch.tensor([3, 0, 5, 1, 2, 4]), torch.tensor([4, 2, 0, 1, 3])
    moved = sinkhorn(cost[rows][:, columns], 0.1, a[rows], b[columns], **FAR, domain=domain).plan
    torch.testing.assert_close(moved, plan[rows][:, columns])
    turned = sinkhorn(cost.t(), 0.1, b, a, **FAR, domain=domain).plan
    torch.testing.assert_close(turned, plan.t(), atol=1e-11, rtol=0)
    offset = 5 * costs(6, 1, seed=7) + costs(1, 5, seed=8)
    torch.testing.assert_close(sinkhorn(cost + offset, 0.1, a, b, **FAR, domain=domain).plan, plan)
    torch.testing.assert_close(sinkhorn(7 * cost, 0.7, a, b, **FAR, domain=domain).plan, plan)


def test_both_forms_agree_sweep_by_sweep() -> None:
    for reg, relax in itertools.product((0.003, 0.05, 1.), RELAX):
        kernel, log = (sinkhorn(costs(9, 9), reg, sweeps=30, domain=domain, relax=relax) for domain in DOMAINS)
        for one, other in zip(kernel, log):
            torch.testing.assert_close(one, other, atol=1e-10, rtol=1e-8)


@pytest.mark.parametrize('domain', DOMAINS)
def test_the_tolerance_stops_and_the_error_tells(domain: str) -> None:
    cost = costs(8, 8)
    short, far = sinkhorn(cost, 0.01, sweeps=2, domain=domain), sinkhorn(cost, 0.01, **FAR, domain=domain)
    assert far.error < 1e-6 < short.error
    off = (short.plan.sum(0) - 1 / 8).abs().max() * 8
    torch.testing.assert_close(short.error, off)
    stopped = sinkhorn(cost, 0.01, sweeps=20000, tol=1e-3, domain=domain)
    assert 1e-9 < stopped.error <= 1e-3


@pytest.mark.parametrize('domain', DOMAINS)
@pytest.mark.parametrize('relax', RELAX)
def test_rows_and_columns_without_mass(domain: str, relax: float) -> None:
    cost = costs(4, 4)
    a, b = torch.tensor([0.5, 0, 0.25, 0.25], dtype=F64), torch.tensor([0.25, 0.25, 0.5, 0], dtype=F64)
    found = sinkhorn(cost, 0.1, a, b, **FAR, domain=domain, relax=relax)
    assert found.plan.isfinite().all() and found.error <= 1e-12
    assert (found.plan[1] == 0).all() and (found.plan[:, 3] == 0).all()
    torch.testing.assert_close(found.label.sum(1), torch.ones(4, dtype=F64))


@pytest.mark.parametrize('domain', DOMAINS)
@pytest.mark.parametrize('relax', RELAX)
def test_degenerate_problems(domain: str, relax: float) -> None:
    flat = sinkhorn(torch.full((3, 4), 0.7), 0.05, domain=domain, relax=relax)
    torch.testing.assert_close(flat.label, torch.full((3, 4), 0.25))
    assert flat.error < 1e-6
    assert sinkhorn(torch.rand(3, 1), 0.05, domain=domain).label.tolist() == [[1.]] * 3
    torch.testing.assert_close(sinkhorn(torch.rand(1, 3), 0.05, domain=domain).label, torch.full((1, 3), 1 / 3))
    for shape in ((0, 3), (3, 0), (0, 0), (0, 2, 3)):
        found = sinkhorn(torch.zeros(shape), 0.05, domain=domain, relax=relax)
        assert found.plan.shape == found.label.shape == shape and found.error.shape == shape[:-2]


@pytest.mark.parametrize('domain', DOMAINS)
def test_float32_is_solved_in_float64(domain: str) -> None:
    cost = costs(20, 20)
    exact, single = (sinkhorn(x, 0.05, sweeps=200, domain=domain) for x in (cost, cost.float()))
    assert single.label.dtype == torch.float32
    torch.testing.assert_close(single.label.double(), exact.label, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize('domain', DOMAINS)
def test_no_gradient_and_no_wait(domain: str) -> None:
    cost = costs(5, 5).requires_grad_()
    with SyncGuard():
        found = sinkhorn(cost, torch.tensor(0.1), sweeps=30, domain=domain, relax=1.8)
    assert not found.label.requires_grad


def test_wrong_options() -> None:
    with pytest.raises(ValueError, match='sinkhorn_domain'):
        sinkhorn(costs(2, 2), 0.1, domain='lin')
    for relax in (0.9, 1.81):
        with pytest.raises(ValueError, match=f'relax must be from 1 .* to 1.8, got {relax}'):
            sinkhorn(costs(2, 2), 0.1, relax=relax)
