from __future__ import annotations

import math

import pytest

from mmcluster.functional.schedule import (cosine_ramp, fixmatch_cosine, half_cosine, linear_ramp, step_value,
                                           warmup_cosine)


def released_factor(n: int, iters: int, warmup: int, epochs: int, ratio: float) -> float:
    """The continuous schedule, transcribed with lr_total = 1."""
    e = n / iters
    if e < warmup:
        return e / warmup
    return ratio + 0.5 * (1 - ratio) * (1 + math.cos(math.pi * (e - warmup) / epochs))


def stepwise_factor(n: int, iters: int, warmup: int, epochs: int) -> float:
    """The schedule that moves once an epoch, found by counting the iterations one by one."""
    epoch, done = 0, 0
    for _ in range(n - 1):
        done += 1
        if done == iters:
            epoch, done = epoch + 1, 0
    if epoch < warmup:
        return n / (warmup * iters) * 0.5 * (1 + math.cos(math.pi * warmup / epochs))
    return 0.5 * (1 + math.cos(math.pi * epoch / epochs))


@pytest.mark.parametrize('ratio', [0., 0.01])
@pytest.mark.parametrize('iters, warmup, epochs', [(7, 3, 10), (1, 0, 4), (5, 4, 4), (3, 0, 6)])
def test_warmup_cosine_against_transcriptions(iters: int, warmup: int, epochs: int, ratio: float) -> None:
    for n in range(1, iters * epochs + 1):
        assert warmup_cosine(n, iters, warmup, epochs, ratio) == pytest.approx(
            released_factor(n, iters, warmup, epochs, ratio), abs=1e-15)
        assert warmup_cosine(n, iters, warmup, epochs, stepwise=True) == pytest.approx(
            stepwise_factor(n, iters, warmup, epochs), abs=1e-15)


def test_warmup_cosine_known_values() -> None:
    assert warmup_cosine(50 * 117, 117, 50, 1000) == 1
    assert warmup_cosine(25 * 117, 117, 50, 1000) == 0.5
    assert warmup_cosine(1000 * 117, 117, 50, 1000) == pytest.approx(0.0062, abs=5e-5)
    assert warmup_cosine(1000 * 117, 117, 50, 1000, denominator='rest') == pytest.approx(0, abs=1e-15)
    assert warmup_cosine(1000 * 117, 117, 50, 1000, 0.25, 'rest') == pytest.approx(0.25)
    assert warmup_cosine(525 * 117, 117, 50, 1000, denominator='rest') == pytest.approx(0.5)
    assert warmup_cosine(40, 10, 4, 4, denominator='rest') == 1


def test_a_rest_before_the_warm_up() -> None:
    """SeCu's release counts iterations i = n - 1 from 0, so its warm-up lags by one."""
    iters, epochs = 20, 40
    for n in range(1, iters * epochs + 1):
        i = n - 1
        if n <= 11 * iters:
            released = 0. if i < iters else max(1, i - iters) / (10 * iters)
        else:
            released = 0.5 * (1 + math.cos(math.pi * (i - 11 * iters) / ((epochs - 11) * iters)))
        found = warmup_cosine(n, iters, 11, epochs, denominator='rest', rest_epochs=1)
        assert found == pytest.approx(released, abs=1.01 / (10 * iters))
        assert (found == 0) is (n <= iters or n == iters * epochs) or found < 1e-12


def test_stepwise_warm_up_meets_the_cosine() -> None:
    last, first = (warmup_cosine(n, 10, 5, 20, stepwise=True) for n in (50, 51))
    assert last == first == half_cosine(5 / 20)


def test_unknown_denominator() -> None:
    with pytest.raises(ValueError, match="'total' or 'rest'"):
        warmup_cosine(1, 1, 0, 1, denominator='half')


def test_cosine_ramp_goes_from_start_to_end() -> None:
    assert cosine_ramp(0, 80, 0.996, 1.) == pytest.approx(0.996)
    assert cosine_ramp(80, 80, 0.996, 1.) == 1.
    assert cosine_ramp(40, 80, 0.5, 0.1) == pytest.approx(0.3)
    values = [cosine_ramp(n, 80, 0.996, 1.) for n in range(81)]
    assert values == sorted(values)
    assert values[7] == pytest.approx(1 - (1 - 0.996) * (math.cos(math.pi * 7 / 80) + 1) / 2)


@pytest.mark.parametrize('warmup', [0, 1, 3])
def test_a_staircase_opens_after_the_warm_up(warmup: int) -> None:
    values = [step_value(epoch, [(0, 0.), (warmup, 0.1)]) for epoch in range(5)]
    assert values == [0.1 if epoch >= warmup else 0. for epoch in range(5)]


def test_fixmatch_cosine() -> None:
    assert fixmatch_cosine(0, 65536) == 1
    assert fixmatch_cosine(65536, 65536) == pytest.approx(0.195, abs=1e-4)
    assert [fixmatch_cosine(it, 100, 10) for it in (0, 5, 10)] == [0, 0.5, 1]
    assert fixmatch_cosine(55, 100, 10) == pytest.approx(math.cos(7 * math.pi / 32))
    assert fixmatch_cosine(200, 100) == 0
    assert fixmatch_cosine(10, 10, 10) == 1


@pytest.mark.parametrize('until', [0.4, 1.])
def test_linear_ramp(until: float) -> None:
    found = [linear_ramp(t, 50, 2., 10., until) for t in range(51)]
    assert found == pytest.approx([2 + 8 * min(1, t / (until * 50)) for t in range(51)])
    assert found[0] == 2. and found[int(until * 50)] == 10. and found[-1] == 10.


@pytest.mark.parametrize('epoch, expected', [(0, 0.1), (10, 0.1), (20, 0.1), (50, 0.25), (199, 0.995), (400, 1.)])
def test_linear_ramp_with_a_bound(epoch: float, expected: float) -> None:
    """RUC: clip(t / 200, 0.1, 1)."""
    assert linear_ramp(epoch, 200, 0., 1., least=0.1) == pytest.approx(expected)
