"""Class prototypes, their scattering and the queue that widens a batch (ProPos eqs. 4-7, section 5.9)."""
from __future__ import annotations

from typing import Optional, Sequence

import torch
from torch import Tensor
from torch.linalg import vector_norm
from torch.nn import functional as F

from .contrast import at_least_float32, unit_rows


def one_hot(label: Tensor, num_clusters: int, like: Tensor) -> Tensor:
    """Return the indicator matrix of labels, without a host sync.

    Args:
        label: (B,) long; a value outside [0, K), such as -1, gives a zero row.
        num_clusters: K.
        like: Tensor whose type and device the result takes.

    Returns:
        (B, K).
    """
    return (label[:, None] == torch.arange(num_clusters, device=label.device)).to(like)


def class_prototypes(x: Tensor, label: Tensor, num_clusters: int) -> tuple[Tensor, Tensor]:
    """Return the normalised class sums of a batch (ProPos eqs. 6-7), in float32 or wider.

    Args:
        x: (B, D) embeddings; the method normalises their rows first.
        label: (B,) hard labels, -1 belongs to no class; or (B, K) posterior p(k|x).
        num_clusters: K.

    Returns:
        Centers (K, D), unit rows; and present (K,) bool: the label occurs, or the posterior column sums to more
        than 0.

    Edge cases: the row of an absent class is zero. So is the row of a class whose members cancel to within rounding;
    such a class is present, but its direction is noise, so it passes no gradient.

    Raises:
        ValueError: A posterior does not have K columns.
    """
    x = at_least_float32(x)
    if label.dim() == 2 and label.shape[1] != num_clusters:
        raise ValueError(f'The posterior has {label.shape[1]} columns, but num_clusters is {num_clusters}.')
    weight = one_hot(label, num_clusters, x) if label.dim() == 1 else label.to(x)
    with torch.autocast(x.device.type, enabled=False):
        sums = weight.t() @ x
        length = weight.detach().t() @ vector_norm(x.detach(), dim=1)
    # unit_rows would blow the rounding of a vanishing sum up to a direction, and its gradient with it
    noise = vector_norm(sums.detach(), dim=1) <= 4 * torch.finfo(x.dtype).eps * length
    return unit_rows(sums.masked_fill(noise[:, None], 0)), weight.detach().sum(dim=0) > 0


def prototype_scattering(mu: Tensor, mu_target: Tensor, present: Tensor, temperature: float = 0.5,
                         absent_fill: Optional[float] = None, over_all: bool = False) -> Tensor:
    """Contrast every online prototype with its momentum counterpart and the other online ones (ProPos eq. 4).

    Args:
        mu: (K, D) online prototypes, unit rows.
        mu_target: (K, D) momentum prototypes, unit rows; constants, so they receive no gradient.
        present: (K,) bool, the classes that take part, as rows and as negatives.
        temperature: Divides the similarities (paper's tau).
        absent_fill: ``None`` leaves absent classes out of the denominator; a number stands for their logits there
            (-10 in the authors' release).
        over_all: Divide by K, as eq. 4 is written, instead of by the number of present classes.

    Returns:
        () float32 or wider.

    Edge cases: one present class gives 0 with a zero gradient, no present class gives 0.
    """
    mu, mu_target = at_least_float32(mu), at_least_float32(mu_target.detach())
    with torch.autocast(mu.device.type, enabled=False):
        logits = mu @ mu.t() / temperature
    positive = (mu * mu_target).sum(dim=1) / temperature
    own = torch.eye(len(mu), dtype=torch.bool, device=mu.device)
    logits = torch.where(own, positive[:, None], logits)
    # A large finite number excludes exactly, and unlike -inf it keeps the gradient of a row without any class finite.
    fill = torch.finfo(mu.dtype).min / 2 if absent_fill is None else absent_fill
    logits = logits.masked_fill(~present[None, :], fill)
    place = torch.arange(len(mu), device=mu.device)
    rows = F.cross_entropy(logits, place, reduction='none').masked_fill(~present, 0)
    return rows.sum() / (len(mu) if over_all else present.sum().clamp(min=1))


def prototype_alignment(mu: Tensor, mu_target: Tensor, present: Tensor, temperature: float = 0.5) -> Tensor:
    """Pull online prototypes to their momentum counterparts, the first part of ProPos eq. 5.

    Args:
        mu: (K, D) online prototypes, unit rows.
        mu_target: (K, D) momentum prototypes, unit rows; they receive no gradient.
        present: (K,) bool.
        temperature: Divides the similarities.

    Returns:
        () mean over the present classes, 0 without any.
    """
    rows = -(at_least_float32(mu) * at_least_float32(mu_target.detach())).sum(dim=1) / temperature
    return rows.masked_fill(~present, 0).sum() / present.sum().clamp(min=1)


def prototype_uniformity(mu: Tensor, present: Tensor, temperature: float = 0.5) -> Tensor:
    """Push online prototypes apart, the second part of ProPos eq. 5: the log of summed exponentials of the others.

    Args:
        mu: (K, D) online prototypes, unit rows.
        present: (K,) bool.
        temperature: Divides the similarities.

    Returns:
        () mean over the present classes. Edge case: fewer than two have nothing to be pushed from and give 0.
    """
    mu = at_least_float32(mu)
    with torch.autocast(mu.device.type, enabled=False):
        logits = mu @ mu.t() / temperature
    others = present[None, :] & ~torch.eye(len(mu), dtype=torch.bool, device=mu.device)
    # a large finite number keeps the gradient of a row without any other class finite
    rows = logits.masked_fill(~others, torch.finfo(mu.dtype).min / 2).logsumexp(dim=1)
    return rows.masked_fill(~(present & others.any(dim=1)), 0).sum() / present.sum().clamp(min=1)


def scattering_of_views(online: Sequence[Tensor], momentum: Sequence[Tensor], label: Tensor, num_clusters: int,
                        temperature: float = 0.5, present: Optional[Tensor] = None,
                        absent_fill: Optional[float] = None, over_all: bool = False,
                        terms: str = 'both') -> tuple[Tensor, Tensor]:
    """Scatter the prototypes of both views, each against those of the other view (ProPos eqs. 4-7, both directions).

    Args:
        online: Two (B, D) unit rows, with gradient.
        momentum: Two (B, D) unit rows of the same views by a network without gradient, or by the same one.
        label: (B,) hard labels, -1 belongs to no class; or (B, K) posterior.
        num_clusters: K.
        temperature: Divides the similarities.
        present: (K,) bool, the classes that take part; ``None``: those that the labels have.
        absent_fill: See :func:`prototype_scattering`.
        over_all: See :func:`prototype_scattering`.
        terms: ``'both'``, or one part of eq. 5 alone: ``'alignment'`` or ``'uniformity'``.

    Returns:
        () mean of both directions, and the classes (K,) that the labels have.
    """
    parts = []
    for q, other in ((online[0], momentum[1]), (online[1], momentum[0])):
        mu, seen = class_prototypes(q, label, num_clusters)
        mu_target, _ = class_prototypes(other.detach(), label, num_clusters)
        there = seen if present is None else present
        if terms == 'alignment':
            loss = prototype_alignment(mu, mu_target, there, temperature)
        elif terms == 'uniformity':
            loss = prototype_uniformity(mu, there, temperature)
        else:
            loss = prototype_scattering(mu, mu_target, there, temperature, absent_fill, over_all)
        parts.append(0.5 * loss)
    return parts[0] + parts[1], seen


def queue_labels(label: Tensor, queue_index: Tensor, fill: float = -1) -> Tensor:
    """Look up the current labels of queue entries, so that they never go stale (ProPos section 5.9).

    Args:
        label: (N,) label bank, or (N, K) posterior bank.
        queue_index: (Q,) data set index of every entry, -1 for an entry not filled yet.
        fill: What an unfilled entry gets: -1 for labels, 0 for a posterior, both of which keep it out of the
            prototypes.

    Returns:
        (Q,) or (Q, K).
    """
    empty = (queue_index < 0).view(-1, *[1] * (label.dim() - 1))
    return label[queue_index.clamp(min=0)].masked_fill(empty, fill)


@torch.no_grad()
def enqueue_(queue: Tensor, pointer: Tensor, keys: Tensor, queue_index: Optional[Tensor] = None,
             index: Optional[Tensor] = None) -> None:
    """Overwrite the oldest entries of a ring in place and move its pointer (ProPos section 5.9; MoCo).

    Entries never written have index -1 and join no prototype, see :func:`queue_labels`.

    Args:
        queue: (Q, D) past target embeddings, unit rows.
        pointer: () long, where the next entry goes; a tensor, so that nothing waits for the device.
        keys: (B, D) new embeddings. Of more than Q rows the last Q stay: an index that stands twice in one
            ``index_copy_`` has no defined winner.
        queue_index: (Q,) long, data set index of the entries; ``None`` where nobody asks for them.
        index: (B,) long, data set index of the keys.
    """
    size, rows = len(queue), len(keys)
    skipped = max(rows - size, 0)
    place = (pointer + torch.arange(skipped, rows, device=queue.device)) % size
    queue.index_copy_(0, place, keys[skipped:].to(queue))
    if queue_index is not None and index is not None:
        queue_index.index_copy_(0, place, index[skipped:].to(queue_index))
    pointer.add_(rows).remainder_(size)
