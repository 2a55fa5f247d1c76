"""Adapters of the equations of TURTLE."""
from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mmcluster.functional.clustering.linear_score import fold_accuracies
from mmcluster.functional.losses.turtle import (InnerHeads, cold_heads, fit_inner, inner_steps, mean_entropy,
                                                turtle_loss, with_ones)
from mmcluster.functional.scale import weight_normalised

from .registry import adapter, gradients, leaf


def spaces(inputs: dict, name: str) -> list[Tensor]:
    """The tensors ``name_0``, ``name_1``, ... of all spaces."""
    return [inputs[f'{name}_{s}'] for s in range(inputs['num_spaces'])]


def joined(weights: list[Tensor], biases: list[Tensor]) -> list[Tensor]:
    """Weights (K, d) and biases (K,) -> (1, K, d + 1)."""
    return [torch.cat([weight, bias[:, None]], 1)[None] for weight, bias in zip(weights, biases)]


def per_space(name: str, values: list[Tensor]) -> dict[str, Tensor]:
    """Outputs of the spaces, by name."""
    return {f'{name}_{s}': value for s, value in enumerate(values)}


@adapter('turtle', 'inner_steps')
def turtle_inner_steps(inputs: dict, dtype: torch.dtype) -> dict:
    """Adam on constant labels, cold or warm."""
    heads = [cold_heads(weight) for weight in joined(spaces(inputs, 'weight'), spaces(inputs, 'bias'))]
    if inputs['adam_step']:
        step = torch.tensor(float(inputs['adam_step']), dtype=dtype)
        first, second = (joined(spaces(inputs, f'{name}_weight'), spaces(inputs, f'{name}_bias'))
                         for name in ('exp_avg', 'exp_avg_sq'))
        heads = [InnerHeads(head.weight, one, two, step) for head, one, two in zip(heads, first, second)]
    labels, losses, final, fitted = inputs['labels'][None], 0, 0, []
    for z, head in zip(spaces(inputs, 'z'), heads):
        found, before = inner_steps(with_ones(z), labels, head, inputs['lr'], inputs['steps'],
                                    (inputs['beta1'], inputs['beta2']), inputs['eps'])
        fitted.append(found.weight[0])
        losses = losses + before[:, 0]
        final = final + inner_steps(with_ones(z), labels, found, 0., 1)[1][0, 0]
    return dict(**per_space('weight', [weight[:, :-1] for weight in fitted]),
                **per_space('bias', [weight[:, -1] for weight in fitted]), losses=losses, final_loss=final)


@adapter('turtle', 'outer_loss')
def turtle_outer_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """Gradient through the labels alone."""
    g, v, b = ([leaf(value) for value in spaces(inputs, name)] for name in ('g', 'v', 'b'))
    rows = spaces(inputs, 'z')
    task = torch.stack([z @ weight_normalised(*pair).T + bias for z, pair, bias in zip(rows, zip(g, v), b)])
    inner = torch.stack([z @ w.T + c for z, w, c in zip(rows, spaces(inputs, 'weight'), spaces(inputs, 'bias'))])
    loss = turtle_loss(task[:, None], inner[:, None], inputs['gamma'])
    grad = gradients(loss.heads.sum(), *g, *v, *b)
    count = len(g)
    return dict(labels_per_space=task.softmax(-1), labels=loss.labels[0], assignment=loss.labels[0].argmax(-1),
                pred_error=loss.error.sum(), entropy=loss.entropy.sum(), loss=loss.heads.sum(),
                **per_space('grad_g', grad[:count]), **per_space('grad_v', grad[count:2 * count]),
                **per_space('grad_b', grad[2 * count:]))


@adapter('turtle', 'entropy')
def turtle_entropy(inputs: dict, dtype: torch.dtype) -> dict:
    """Entropy of each space's mean label."""
    labels = leaf(inputs['labels'])
    entropy = mean_entropy(labels)
    return dict(entropy=entropy, sum=entropy.sum(), grad_labels=gradients(entropy.sum(), labels)[0])


@adapter('turtle', 'iterations')
def turtle_iterations(inputs: dict, dtype: torch.dtype) -> dict:
    """Whole iterations with given starts and batches."""
    rows, starts = spaces(inputs, 'z'), list(zip(spaces(inputs, 'weight'), spaces(inputs, 'bias')))
    g, v, b = ([leaf(value) for value in spaces(inputs, name)] for name in ('g', 'v', 'b'))
    adam = torch.optim.Adam([*g, *v, *b], lr=inputs['outer_lr'])

    def task(chosen: list[Tensor]) -> Tensor:
        return torch.stack([z @ weight_normalised(*pair).T + bias for z, pair, bias in zip(chosen, zip(g, v), b)])[:, None]

    losses, heads = [], None
    for t, batch in enumerate(inputs['batches']):
        chosen = [z[batch] for z in rows]
        if heads is None or not inputs['warm_start']:
            heads = [cold_heads(start) for start in joined(*zip(*[(w[t], c[t]) for w, c in starts]))]
        logits = task(chosen)
        heads, inner = fit_inner([with_ones(z) for z in chosen], logits.softmax(-1).mean(0), heads,
                                 inputs['inner_lr'], inputs['inner_steps'])
        loss = turtle_loss(logits, inner, inputs['gamma']).heads.sum()
        losses.append(loss.detach())
        adam.zero_grad()
        loss.backward()
        adam.step()
    with torch.no_grad():
        weights = [weight_normalised(*pair) for pair in zip(g, v)]
        assignment = task(rows)[:, 0].softmax(-1).mean(0).argmax(-1)
    return dict(losses=torch.stack(losses), **per_space('weight', weights), **per_space('b', b),
                assignment=assignment)


@adapter('turtle', 'selection_score')
def turtle_selection_score(inputs: dict, dtype: torch.dtype) -> dict:
    """Cross-validated accuracy of logistic regressions on pseudo-labels."""
    labels, order = (np.asarray(inputs[name]) for name in ('pseudo_labels', 'permutation'))
    found = np.stack([fold_accuracies(np.asarray(z), labels, order, inputs['kfold'], inputs['c'])
                      for z in spaces(inputs, 'z')])
    return dict(fold_accuracy=torch.from_numpy(found), space_score=torch.from_numpy(found.mean(1)),
                score=torch.tensor(found.mean()))
