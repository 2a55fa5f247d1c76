"""SPICE, second stage: cluster heads trained on prototype pseudo-labels (TIP 2022)."""
from __future__ import annotations

from typing import Any, Iterable, Iterator, NamedTuple

import torch
from mmengine.dist import broadcast, get_rank, get_world_size
from torch import Tensor
from torch.nn import functional as F

from mmcluster.checks import require_count, require_not_negative, require_positive
from mmcluster.functional.labels.estep import head_selection_losses, prototype_estep
from mmcluster.functional.losses.consistency import double_softmax_ce, negative_entropy
from mmcluster.functional.shards import WHOLE, Shards
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

from ..bank import SampleBank
from ..batch_norm import broadcast_statistics
from ..gather import gather_rows, reduce_sum, reduce_sum_with_grad
from ..modes import evaluating
from .multi_head import MultiHeadClusterer

ENTROPY_EPS = 1e-5              # smallest mean probability in the entropy of a mini-batch, as in the authors' release


class Entries(NamedTuple):
    """One mini-batch of pairs (image, pseudo-label), of its own for each head.

    Attributes:
        rows: (H, B, D) embeddings of strong views; or (H, B, C, H', W') the views themselves.
        target: (H, B) long pseudo-labels, -1 is no entry.
    """
    rows: Tensor
    target: Tensor


@MODELS.register_module()
class SPICE(MultiHeadClusterer):
    """Heads on fixed features, trained by prototype pseudo-labelling; SPICE_s in the paper's tables.

    One iteration of an ``InnerStepLoop`` is one E-step on the M rows of all ranks, :meth:`steps`: the weak views'
    probabilities choose the members of each cluster's prototype, the rows most similar to a prototype get its label
    (eqs. 2-4, similarities from ``bank.feat``, which a ``FeatureHook`` fills once). Then come ``repeat`` shuffled
    walks over the pairs, each mini-batch being one optimiser step on :meth:`loss`. Nothing survives the iteration.

    With a frozen network in evaluation mode every image passes it twice in an E-step (weak and strong view), whatever
    ``repeat`` and the number of heads; else strong views are passed again in every step.

    Args:
        batch_size: Pairs per head and optimiser step, over all ranks.
        repeat: Walks over the pairs of an E-step.
        center_ratio: Share of the M / K rows of a cluster whose mean is its prototype; 1 in the paper.
        overlap: A row may get several labels, or none; ``False``: clusters choose in turn among the rows left.
        double_softmax: Cross-entropy on the softmax of the probabilities (eq. 5); ``False``: on the logits.
        temperature: Divides the logits of the plain cross-entropy.
        entropy_weight: Weight of the negative entropy of a mini-batch's mean probability (Tiny-ImageNet).
        selection_entropy_weight: Weight of the entropy in the selection statistic.
        normalize: Rows of ``bank.feat`` are scaled to unit length first.
        freeze: See :class:`MultiHeadClusterer`; the paper's default is frozen.
        kwargs: See :class:`MultiHeadClusterer`. The bank needs nothing but ``num_samples``.
    """

    bank: SampleBank

    def __init__(self, head: dict, batch_size: int = 128, repeat: int = 8, center_ratio: float = 0.5,
                 overlap: bool = True, double_softmax: bool = True, temperature: float = 1., entropy_weight: float = 0.,
                 selection_entropy_weight: float = 0., normalize: bool = True, freeze: bool = True, **kwargs: Any):
        require_count('SPICE', batch_size=batch_size, repeat=repeat)
        require_positive('SPICE', center_ratio=center_ratio, temperature=temperature)
        require_not_negative('SPICE', entropy_weight=entropy_weight, selection_entropy_weight=selection_entropy_weight)
        super().__init__(head, freeze=freeze, **kwargs)
        if self.bank is None:
            raise ValueError('SPICE keeps the embedding of every image: give it bank=dict(num_samples=None)')
        self.batch_size = batch_size
        self.repeat = repeat
        self.center_ratio = center_ratio
        self.overlap = overlap
        self.double_softmax = double_softmax
        self.temperature = temperature
        self.entropy_weight = entropy_weight
        self.selection_entropy_weight = selection_entropy_weight
        self.normalize = normalize
        self.cached = self.freeze and self.norm_eval
        first: Any = self.head.heads[0]
        self.bank.add_field('feat', shape=(first.in_channels,), dtype='float32', fill=0, persistent=not self.cached)

    def steps(self, groups: Iterable[dict[str, Batch]]) -> Iterator[dict[str, Entries]]:
        """E-step on the rows of all ranks, then the mini-batches of this rank.

        The ranks start with rank 0's running statistics of batch norm, so that one network scores all rows.

        Args:
            groups: Parts of the step, each with a stream ``batch`` of two views, weak and strong; walked through once.

        Yields:
            ``dict(entries=...)``, the argument of :meth:`loss`, ``batch_size / W`` pairs per head.

        Raises:
            ValueError: If M is too small for K clusters or for one mini-batch, or W does not divide a mini-batch.
        """
        broadcast_statistics(self)
        index, logits, strong = self._rows(group['batch'] for group in groups)
        pairs = prototype_estep(logits.softmax(2), self.bank.read('feat', index), self.center_ratio, self.overlap,
                                self.normalize).index
        clusters = pairs.shape[1]
        # Eq. 4: a pair (row, cluster) for each of the M / K rows of a cluster, so that clusters train equally often; a
        # row of several clusters makes several pairs, one of none makes none.
        target = torch.arange(clusters, device=pairs.device)[:, None].expand_as(pairs)
        rows, target = pairs.flatten(1), target.masked_fill(pairs < 0, -1).flatten(1)
        if rows.shape[1] < self.batch_size:
            raise ValueError(f'SPICE: an E-step on {len(index)} rows gives {rows.shape[1]} pairs, fewer than '
                             f'batch_size={self.batch_size}; raise the size of the stream or lower batch_size')
        share, rest = divmod(self.batch_size, get_world_size())
        if rest:
            raise ValueError(f'SPICE: batch_size={self.batch_size} pairs cannot be shared by {get_world_size()} '
                             f'processes; give model.batch_size a multiple of it')
        mine = slice(get_rank() * share, (get_rank() + 1) * share)
        for _ in range(self.repeat):
            # One order for all ranks, so that their shares make up a mini-batch; and for all heads, whose pairs differ
            # all the same. Of a walk the rest that is no whole mini-batch is dropped.
            order = torch.randperm(rows.shape[1], device=rows.device)
            broadcast(order)
            for step in order[:len(order) // self.batch_size * self.batch_size].split(self.batch_size):
                place = step[mine]
                yield dict(entries=Entries(strong[rows[:, place].clamp(min=0)], target[:, place]))

    @torch.no_grad()
    def _rows(self, batches: Iterable[Batch]) -> tuple[Tensor, ...]:
        """Index (M,), weak logits (H, M, K), and strong embeddings (M, D) or views, of all ranks, by index."""
        with evaluating(self):
            parts = [(batch.index, self.head_logits(batch.views[0]),
                      self.features(batch.views[1]) if self.cached else batch.views[1]) for batch in batches]
        index, logits, strong = (gather_rows(torch.cat(part)) for part in zip(*parts))
        order = torch.argsort(index)        # ties of the E-step go to the first row, whatever the number of ranks
        return index[order], logits[order].transpose(0, 1), strong[order]

    def loss(self, entries: Entries) -> dict[str, Tensor]:
        """Mean over heads of the pseudo-label loss (eq. 5).

        Args:
            entries: Pairs of this rank.

        Returns:
            ``loss_spice``, and ``loss_entropy`` if it has a weight.
        """
        rows, target = entries
        if not self.cached:
            rows = self.features(rows.flatten(0, 1)).unflatten(0, rows.shape[:2])
        logits = self.head(rows).float()
        weight = self._share_of_pairs(target)
        if self.double_softmax:
            losses = double_softmax_ce(logits, target)
        else:
            losses = _cross_entropy(logits / self.temperature, target)
        result = dict(loss_spice=(losses * weight).mean())
        if self.entropy_weight:
            known = (target >= 0).float()
            total = reduce_sum_with_grad((logits.softmax(2) * known[..., None]).sum(1))
            mean = total / reduce_sum(known.sum(1))[:, None].clamp(min=1)
            result['loss_entropy'] = self.entropy_weight * negative_entropy(mean, ENTROPY_EPS).mean()
        return result

    def _share_of_pairs(self, target: Tensor) -> Tensor:
        """This rank's pairs over the mean of all ranks, (H,), so that the mean over ranks is that over all pairs."""
        count = (target >= 0).sum(1).float()
        return count * get_world_size() / reduce_sum(count).clamp(min=1)

    def selection_losses(self, logits: Tensor, shards: Shards = WHOLE) -> Tensor:
        """Pseudo-label loss of every head when the E-step is the whole set (section III-B).

        Args:
            logits: (n, H, K) of this rank.
            shards: Who holds the N rows.

        Returns:
            (H,).
        """
        feats = shards.own(self.stored_features(), len(logits))
        return head_selection_losses(logits.transpose(0, 1).softmax(2), feats, self.center_ratio,
                                     self.selection_entropy_weight, self.normalize, shards)


def _cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Mean cross-entropy of every head, (H, B, K) and (H, B) -> (H,); 0 without a pair."""
    loss = F.cross_entropy(logits.transpose(1, 2), target, ignore_index=-1, reduction='none')
    return loss.sum(1) / (target >= 0).sum(1).clamp(min=1)
