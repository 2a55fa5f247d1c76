"""At a temperature of 0.01 the gradients of all contrasts round no worse than those of a cross-entropy."""
from __future__ import annotations

from typing import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mmcluster.functional.losses.cluster_contrast import cluster_contrast
from mmcluster.functional.losses.consistency import log_agreement
from mmcluster.functional.losses.contrast import info_nce, nt_xent, unit_rows
from mmcluster.functional.losses.prototype import prototype_scattering
from mmcluster.functional.losses.pseudo import masked_cross_entropy, negative_learning
from mmcluster.functional.losses.ruc import smoothed_cross_entropy

COLD = 0.01
ROWS, WIDTH = 48, 1024


def views() -> tuple[Tensor, Tensor]:
    """Two views (B, D) of alike images, whose similarities float32 holds exactly, so that only the loss can round.

    Entries are 1/32 or -1/32, which makes the rows unit and cosines multiples of 1/512; all are near 0.64.
    """
    flips = torch.rand(2, ROWS, WIDTH, generator=torch.Generator().manual_seed(0)) < 0.1
    return tuple((1 - 2. * flip) / 32 for flip in flips)


def scores(a: Tensor, b: Tensor) -> Tensor:
    """Similarities (B, B) over the temperature, as logits."""
    return a @ b.detach().t() / COLD


def excluded() -> Tensor:
    """A third of all classes (B, B), others for each row."""
    return (torch.arange(ROWS) + torch.arange(ROWS)[:, None]) % 3 == 0


CONTRASTS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    'NT-Xent': lambda a, b: nt_xent(a, b, COLD),
    'NT-Xent of one side': lambda a, b: nt_xent(a, b, COLD, symmetric=False),
    'NT-Xent of unit rows': lambda a, b: nt_xent(unit_rows(a), unit_rows(b), COLD, normalize=False),
    'InfoNCE': lambda a, b: info_nce(a, b, unit_rows(b.flip(0)).t(), COLD)[0],
    'scattering': lambda a, b: prototype_scattering(unit_rows(a), unit_rows(b), torch.arange(ROWS) % 5 > 0, COLD),
    'scattering, filled': lambda a, b: prototype_scattering(unit_rows(a), unit_rows(b), torch.arange(ROWS) % 5 > 0,
                                                            COLD, absent_fill=-10, over_all=True),
    'clusters': lambda a, b: cluster_contrast(a.t(), b.t(), COLD).contrast,
    'labels': lambda a, b: masked_cross_entropy(scores(a, b), torch.arange(ROWS)),
    'soft labels': lambda a, b: masked_cross_entropy(scores(a, b), torch.eye(ROWS).roll(1, 0) / 2 + 0.5 / ROWS),
    'smoothed labels': lambda a, b: smoothed_cross_entropy(scores(a, b), torch.arange(ROWS), 0.5),
    'excluded classes': lambda a, b: negative_learning(scores(a, b), excluded()),
    'agreement': lambda a, b: log_agreement(scores(a, b).log_softmax(1), scores(b, a).log_softmax(1).detach()).mean(),
}


def rounding(loss: Callable[[Tensor, Tensor], Tensor]) -> float:
    """Largest error of the float32 gradient of the first view, relative to its largest entry."""
    grads = []
    for dtype in (torch.float64, torch.float32):
        a, b = (view.to(dtype).requires_grad_() for view in views())
        grads.append(torch.autograd.grad(loss(a, b), a)[0].double())
    return float((grads[1] - grads[0]).abs().max() / grads[0].abs().max())


@pytest.fixture(scope='module')
def bound() -> float:
    return 1.5 * rounding(lambda a, b: F.cross_entropy(scores(a, b), torch.arange(ROWS)))


@pytest.mark.parametrize('name', CONTRASTS)
def test_a_gradient_rounds_like_that_of_a_cross_entropy(name: str, bound: float) -> None:
    assert rounding(CONTRASTS[name]) <= bound


def test_a_difference_of_large_numbers_is_found(bound: float) -> None:
    assert rounding(lambda a, b: (scores(a, b).logsumexp(1) - scores(a, b).diagonal()).mean()) > 2 * bound
