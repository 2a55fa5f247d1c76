"""Adapters of the equations of TEMI."""
from __future__ import annotations

import torch

from mmcluster.functional.losses.temi import TemiLoss, temi_loss

from .registry import adapter, gradients, leaf


def run(inputs: dict, student: torch.Tensor, teacher: torch.Tensor, prior: torch.Tensor, weighted: bool) -> TemiLoss:
    """The loss of logits (H, 2B, K), whose first half is the first view."""
    student, teacher = (logits.unflatten(1, (2, -1)) for logits in (student, teacher))
    return temi_loss(student, teacher, prior, inputs['beta'], inputs['student_temp'], inputs['teacher_temp'],
                     inputs['probs_momentum'], weighted)


@adapter('temi', 'temi_loss')
def temi_temi_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """All heads, pairs weighted."""
    student = leaf(inputs['student'])
    loss = run(inputs, student, inputs['teacher'], inputs['pk'], True)
    return dict(head_losses=loss.heads, loss=loss.total, weight=loss.weight, pk=loss.prior,
                grad_student=gradients(loss.total, student)[0])


@adapter('temi', 'pmi_loss')
def temi_pmi_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """One head, no weights."""
    student = leaf(inputs['student'])
    loss = run(inputs, student[None], inputs['teacher'][None], inputs['pk'][None], False)
    return dict(loss=loss.total, pk=loss.prior[0], grad_student=gradients(loss.total, student)[0])
