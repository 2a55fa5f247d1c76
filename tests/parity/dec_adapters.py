"""Adapters of the equations of DEC and IDEC."""
from __future__ import annotations

import torch

from mmcluster.functional.losses.dec import (label_change, reconstruction_loss, student_logits, target_distribution,
                                             target_divergence)

from .registry import adapter, gradients, leaf


@adapter('dec', 'dec_loss')
def dec_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """The stored batch stands for the whole set."""
    z, centers = leaf(inputs['z']), leaf(inputs['centers'])
    logits = student_logits(z, centers, float(inputs['alpha']))
    prob = logits.softmax(1)
    target = target_distribution(prob).target
    loss = target_divergence(logits, target)
    grad_z, grad_centers = gradients(loss, z, centers)
    return dict(q=prob, p=target, kl_mean=loss, kl_sum=loss * len(z), grad_z_mean=grad_z,
                grad_centers_mean=grad_centers)


@adapter('dec', 'target_distribution')
def dec_target_distribution(inputs: dict, dtype: torch.dtype) -> dict:
    """One refresh over the whole set, and whether training ends with it."""
    prob = student_logits(inputs['z'], inputs['centers'], float(inputs['alpha'])).softmax(1)
    labels = prob.argmax(1)
    changed = label_change(labels, inputs['last_labels'])
    found = target_distribution(prob)
    return dict(q=prob, frequency=found.frequency, p=found.target, labels=labels, changed=changed,
                stop=(changed < float(inputs['tol'])) & ~torch.as_tensor(inputs['first']))


@adapter('dec', 'idec_total')
def idec_total(inputs: dict, dtype: torch.dtype) -> dict:
    """Released and printed balance of reconstruction and clusters."""
    z, centers, recon = leaf(inputs['z']), leaf(inputs['centers']), leaf(inputs['recon'])
    logits = student_logits(z, centers, float(inputs['alpha']))
    kl = target_divergence(logits, inputs['p'])
    mean, total = (reconstruction_loss(recon, inputs['x'], summed) for summed in (False, True))
    gamma = float(inputs['gamma'])
    grad_recon, grad_z, grad_centers = gradients(mean + gamma * kl, recon, z, centers)
    grad_recon_paper, = gradients(total + gamma * kl, recon)
    return dict(q=logits.softmax(1), kl=kl, recon_mean=mean, recon_sum=total, total=mean + gamma * kl,
                total_paper=total + gamma * kl, grad_recon=grad_recon, grad_z=grad_z, grad_centers=grad_centers,
                grad_recon_paper=grad_recon_paper)
