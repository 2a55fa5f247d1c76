"""Which of many centres is nearest: by scores in float32, or by coarse ones where their error cannot change it."""
from __future__ import annotations

from typing import NamedTuple, Optional

import torch
from torch import Tensor

FEW = 32                # up to so many centres the host sums rows by a product with their memberships
SAFE = 4                # ties by which a centre has to be nearer before a row is left alone
GROUP = 32              # centres that are looked at together
COARSE = 256            # centres from which a coarse product pays
HALF_ULP = 2.0 ** -8    # largest relative error of rounding to bfloat16
DISTANCES = 1 << 24     # distances of centres that are held at once


class Choice(NamedTuple):
    """Nearest centres of B rows in A restarts.

    Attributes:
        label: (A, B) integer, the first one of those that are nearest up to rounding.
        gap: (A, B), by how much it is certainly nearer than the others (in scores), whatever rounding has done.
    """
    label: Tensor
    gap: Tensor


class ScoringCenters(NamedTuple):
    """Centres of A restarts, ready to score rows: ``rows @ weight.T + bias``.

    Attributes:
        weight: (A, K, D).
        bias: (A, K) or ``None``.
        tie: Difference that rounding can make of two scores of size 1.
        coarse: (A, K, D) bfloat16 weight, ``None`` where it would not pay.
        spread: (A,) largest distance of two coarse weights.
        error: (A,) largest distance of what two coarse weights leave out.
    """
    weight: Tensor
    bias: Optional[Tensor]
    tie: float
    coarse: Optional[Tensor]
    spread: Optional[Tensor]
    error: Optional[Tensor]

    @classmethod
    def of(cls, weight: Tensor, bias: Optional[Tensor], tie: float) -> ScoringCenters:
        """Prepare weight (A, K, D) and bias (A, K)."""
        if bias is not None or weight.shape[1] < COARSE or weight.dtype != torch.float32 or not _fast(weight.device):
            return cls(weight, bias, tie, None, None, None)
        coarse = weight.bfloat16()
        spread, error = (1.01 * _diameter(part) for part in (coarse.float(), weight - coarse.float()))
        return cls(weight, bias, tie, coarse, spread, error)

    def restart(self, a: int) -> ScoringCenters:
        """Those of one restart alone."""
        rest = (None if value is None else value[a, None] for value in (self.coarse, self.spread, self.error))
        return ScoringCenters(self.weight[a, None], None if self.bias is None else self.bias[a, None], self.tie, *rest)

    def choose(self, rows: Tensor, half_square: Optional[Tensor] = None) -> Choice:
        """Nearest centres of rows (B, D); with a bias the rows have |x|^2 / 2 (B,), too."""
        if self.coarse is None:
            return choose(scores(rows, self.weight, self.bias), self.tie, half_square)
        found = [self._coarsely(a, rows) for a in range(len(self.weight))]
        return Choice(torch.stack([one.label for one in found]), torch.stack([one.gap for one in found]))

    def _coarsely(self, a: int, rows: Tensor) -> Choice:
        """Nearest centres in one restart: labels (B,) of :func:`choose`, and gaps that are at most its own.

        The difference of two coarse scores is wrong by at most |what the row leaves out| |difference of the weights| +
        |row| |difference of what the weights leave out| and the rounding of the scores; a row whose two best are nearer
        than that is scored again.
        """
        assert self.coarse is not None and self.spread is not None and self.error is not None
        coarse = rows.bfloat16()
        left, length = (rows - coarse.float()).norm(dim=1), rows.norm(dim=1)
        best, second, label = best_two(scores(coarse, self.coarse[a, None], None), 0.0)
        wrong = left * self.spread[a] + length * self.error[a]
        wrong += 1.01 * HALF_ULP * (best[0].abs() + second[0].abs()) + rows.shape[1] * 2.0 ** -22 * length
        gap, label = (best - second)[0] - wrong - SAFE * self.tie, label[0]
        doubt = (~(gap > 0)).nonzero().flatten()
        exact = choose(scores(rows[doubt], self.weight[a, None], None), self.tie)
        gap[doubt], label[doubt] = exact.gap[0], exact.label[0].to(label.dtype)
        return Choice(label, gap)


def _diameter(points: Tensor) -> Tensor:
    """Largest distance of two of K points (A, K, D) -> (A,); A K K distances at once would be gigabytes."""
    rows = max(1, DISTANCES // max(1, points.shape[0] * points.shape[1]))
    return torch.stack([torch.cdist(part, points).amax((1, 2)) for part in points.split(rows, 1)]).amax(0)


def _fast(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 faster than float32; an accelerator would wait for the rows in doubt."""
    able = getattr(torch.cpu, '_is_avx512_bf16_supported', lambda: False)
    return device.type == 'cpu' and able()


def scores(rows: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
    """Scores of rows (B, D) against A x K centres (A, K, D) -> (A, K, B)."""
    flat = weight.flatten(0, 1)
    near = flat @ rows.T if bias is None else torch.addmm(bias.reshape(-1, 1), flat, rows.T)
    return near.view(*weight.shape[:2], -1)


def choose(near: Tensor, tie: float, half_square: Optional[Tensor] = None) -> Choice:
    """Choose the nearest centre by scores (A, K, B), the first one on ties.

    Args:
        near: Scores.
        tie: Difference that rounding can make of two scores of size 1.
        half_square: (B,) |x|^2 / 2 of rows whose scores are x.c - |c|^2 / 2.
    """
    if near.shape[1] > FEW and near.device.type == 'cpu':
        best, second, label = best_two(near, tie, half_square)
    else:
        k = near.shape[1]
        ids = torch.arange(k, device=near.device, dtype=torch.int32)[:, None]
        best = near.amax(1)
        label = torch.where(near >= (best - _margin(best, tie, half_square))[:, None], ids, k - 1).amin(1)
        second = near.masked_fill(label[:, None] == ids, float('-inf')).amax(1)
    return Choice(label, best - second - SAFE * _margin(best, tie, half_square))


def _margin(best: Tensor, tie: float, half_square: Optional[Tensor]) -> Tensor | float:
    """What rounding can make of the scores near the best ones (A, B) of rows.

    Cosines are of size 1. x.c and |c|^2 / 2 are of the size |x|^2 + d^2 for a centre at the distance d, which is
    2 |x|^2 - 2 score; one bound for all rows would be that of the farthest one, below which near centres look alike.
    """
    return tie if half_square is None else tie * (4 * half_square.to(best.dtype) - 2 * best)


def best_two(near: Tensor, tie: float, half_square: Optional[Tensor] = None) -> tuple[Tensor, Tensor, Tensor]:
    """Largest score, the largest one of the centres that are not chosen, and the choice, by scores (A, K, B).

    The same as a look at all scores, most of which are read once: the largest of each group tells the group to look
    into.

    Returns:
        (A, B), (A, B) and (A, B) long.
    """
    k = near.shape[1]
    whole = k // GROUP * GROUP
    tops = [near[:, :whole].unflatten(1, (-1, GROUP)).amax(2)] if whole else []
    tops += [near[:, whole:].amax(1, keepdim=True)] if whole < k else []
    top = torch.cat(tops, 1)
    top = top.float() if top.dtype == torch.bfloat16 else top
    best = top.amax(1)
    bound = (best - _margin(best, tie, half_square))[:, None]
    group = _first(top >= bound)
    member = torch.arange(GROUP, device=near.device)[:, None] + GROUP * group[:, None]
    member.clamp_(max=k - 1)                                        # the last group may be smaller: its last one again
    inside = near.gather(1, member).to(top.dtype)
    label = member.gather(1, _first(inside >= bound)[:, None])
    others = inside.masked_fill_(member == label, float('-inf')).amax(1)
    second = torch.maximum(others, top.scatter_(1, group[:, None], float('-inf')).amax(1))
    return best, second, label[:, 0]


def _first(true: Tensor) -> Tensor:
    """Place (A, B) of the first True of (A, K, B), the last place where there is none."""
    last = true.shape[1] - 1
    ids = torch.arange(last + 1, device=true.device, dtype=torch.int32)[:, None]
    return torch.where(true, ids, last).amin(1).long()
