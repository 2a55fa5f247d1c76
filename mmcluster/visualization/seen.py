"""What a checkpoint makes of all images, and what figures read from that. Ground truth is read for figures alone."""
from __future__ import annotations

from typing import NamedTuple, Optional

import numpy as np
import torch
from torch import Tensor

from mmcluster.functional.clustering.match import contingency, hungarian
from mmcluster.functional.clustering.spread import spread
from mmcluster.functional.labels.knn import preservation_rate
from mmcluster.functional.labels.quality import label_noise, rank_purity
from mmcluster.functional.losses.contrast import unit_rows
from mmcluster.functional.losses.prototype import one_hot

Arrays = dict[str, np.ndarray]
HELD_OUT = 5        # one in so many rows asks the others


class Seen(NamedTuple):
    """Embedding and clusters of all images by one checkpoint.

    Attributes:
        name: Of the checkpoint, for titles.
        embed: (N, D), of any norm.
        score: (N, K), how sure it is that an image belongs to a cluster.
        truth: (N,) long classes, -1 where unknown; ``None`` without any.
    """
    name: str
    embed: Tensor
    score: Tensor
    truth: Optional[Tensor]

    @property
    def cluster(self) -> Tensor:
        """(N,) long, on the CPU."""
        return self.score.argmax(1).cpu()

    @property
    def classes(self) -> Tensor:
        """The truth.

        Raises:
            ValueError: If there is none.
        """
        if self.truth is None or not bool((self.truth >= 0).any()):
            raise ValueError(f'{self.name}: this figure needs the class of the images, and their data set has none')
        return self.truth


def named(seen: Seen) -> Tensor:
    """Clusters (N,) with the numbers of the classes that they match, so that a class has one colour in both panels.

    Args:
        seen: Without ground truth clusters keep their numbers; those beyond the classes come after them.
    """
    if seen.truth is None or not bool((seen.truth >= 0).any()):
        return seen.cluster
    match = class_of_clusters(seen.cluster, seen.truth, seen.score.shape[1])
    spare = (match < 0).long().cumsum(0) + int(seen.truth.max())
    return torch.where(match < 0, spare, match)[seen.cluster]


def class_of_clusters(cluster: Tensor, truth: Tensor, num_clusters: int) -> Tensor:
    """Class of each cluster on the best one-to-one map; -1 for those beyond the number of classes.

    Args:
        cluster: (N,) long.
        truth: (N,) long, -1 where unknown.
        num_clusters: K.

    Returns:
        (K,) long.
    """
    return hungarian(contingency(cluster, truth, num_clusters, int(truth.max()) + 1))


def purity(seen: Seen, bins: int = 10) -> Arrays:
    """Share of images with the class of their cluster, by rank of distance to its centre (ClusMatch Fig. 1b).

    Args:
        seen: The centre of a cluster is the mean of its unit rows.
        bins: Of the curve.

    Returns:
        ``rank`` (bins,) middle of each bin from 0 to 1, ``purity``, NaN of no row, and ``rows`` (bins,).
    """
    known = seen.classes >= 0
    cluster, rows = seen.cluster[known], unit_rows(seen.embed[known.to(seen.embed.device)]).cpu()
    member = one_hot(cluster, seen.score.shape[1], rows)
    distance = 1 - (rows * unit_rows(member.t() @ rows)[cluster]).sum(1)
    found = rank_purity(distance, cluster, seen.classes[known], seen.score.shape[1], bins)
    curve = found.curve.where(found.bin_rows > 0, torch.nan)
    return dict(rank=(np.arange(bins) + 0.5) / bins, purity=curve.numpy(), rows=found.bin_rows.numpy())


def sizes(seen: Seen) -> Arrays:
    """Images of each cluster beside those of its class (SPICE Fig. 8), and the sorted sizes (ProPos Fig. 3c).

    Args:
        seen: With ground truth, clusters stand in the order of the classes that they match, else by size.

    Returns:
        ``cluster`` (K,) numbers, ``size`` (K,) images, ``class_size`` (K,) images of the matched class, 0 for none.
    """
    count = torch.bincount(seen.cluster, minlength=seen.score.shape[1])
    if seen.truth is None or not bool((seen.truth >= 0).any()):
        order = count.argsort(descending=True, stable=True)
        return dict(cluster=order.numpy(), size=count[order].numpy(), class_size=np.zeros(len(order), int))
    match = class_of_clusters(seen.cluster, seen.truth, len(count))
    order = torch.where(match < 0, len(match) + seen.score.shape[1], match).argsort(stable=True)
    own = torch.bincount(seen.truth[seen.truth >= 0], minlength=int(match.max()) + 1)
    class_size = torch.where(match[order] >= 0, own[match[order].clamp_min(0)], 0)
    return dict(cluster=order.numpy(), size=count[order].numpy(), class_size=class_size.numpy())


def steadiness(seen: Seen) -> Arrays:
    """Whether the embedding collapses (ProPos Fig. 3a, b and Fig. 9).

    Returns:
        ``std`` () mean deviation of the unit rows, ``ideal`` () that of an even sphere, ``imbalance`` () smallest by
        largest cluster.
    """
    found = spread(seen.embed, seen.cluster.to(seen.embed.device), seen.score.shape[1])
    return dict(std=np.asarray(float(found.std)), ideal=np.asarray(found.std_ideal),
                imbalance=np.asarray(float(found.imbalance)))


def preservation(seen: Seen, sigmas: tuple[float, ...], draws: int = 10, seed: int = 0) -> Arrays:
    """Share of images that keep their class under noise on the raw embedding (ProPos Fig. 4a).

    Weighted k-NN says the class; a fifth of the images ask the others, so that no image votes for itself.

    Args:
        seen: Needs ground truth.
        sigmas: Deviations of the noise.
        draws: Of the noise.
        seed: Of the split and the noise.

    Returns:
        ``sigma`` and ``rate`` (S,), ``norm`` () mean norm of the embedding, to which the noise is relative.
    """
    generator = torch.Generator().manual_seed(seed)
    known = (seen.classes >= 0).nonzero().flatten()
    order = known[torch.randperm(len(known), generator=generator)]
    query, bank = order[:max(len(order) // HELD_OUT, 1)], order[max(len(order) // HELD_OUT, 1):]
    embed = seen.embed.cpu().float()
    noise = torch.randn(draws, len(query), embed.shape[1], generator=generator)
    rate = [float(preservation_rate(embed[bank], seen.classes[bank], embed[query], noise, sigma,
                                    int(seen.classes.max()) + 1).rate.mean()) for sigma in sigmas]
    return dict(sigma=np.asarray(sigmas), rate=np.asarray(rate), norm=np.asarray(float(embed.norm(dim=1).mean())))


def noise(label: Tensor, truth: Tensor) -> Arrays:
    """Noise of the labels that training had (ASD Fig. 7c, d; ClusMatch Fig. 4b).

    Args:
        label: (N,) long, -1 where there is none.
        truth: (N,) long, -1 where unknown.

    Returns:
        ``noise`` () share of wrong labels on the best one-to-one map, ``share`` () of images with a label.
    """
    classes, clusters = (int(values.max().clamp_min(0)) + 1 for values in (truth, label))
    found = label_noise(label[None], truth[None], clusters, classes, 1)
    return dict(noise=np.asarray(float(found.noise)), share=np.asarray(float((label >= 0).double().mean())))


def confident(seen: Seen, threshold: float) -> Arrays:
    """Pseudo-labels that a threshold would take: how many, and how many of them are right.

    Args:
        seen: Its scores are probabilities of a head, or cosines to centres.
        threshold: The largest score reaches it.

    Returns:
        ``share`` () of all images, ``accuracy`` () of those taken by the best map of all; NaN where none is.
    """
    taken = (seen.score.max(1).values >= threshold).cpu() & (seen.classes >= 0)
    named = class_of_clusters(seen.cluster, seen.classes, seen.score.shape[1])[seen.cluster]
    right = (named == seen.classes)[taken].double()
    return dict(share=np.asarray(float(taken.double().mean())), accuracy=np.asarray(float(right.mean())))


def changed(before: Seen, after: Seen) -> Arrays:
    """Images whose cluster changed between two stages (ClusMatch Fig. 8).

    With ground truth those that were wrong and are right, each stage by its own best map to the classes; else those
    whose cluster differs once the clusters of the first stage have the names of the second one's.

    Args:
        before: The first stage.
        after: The second one, of the same images.

    Returns:
        ``row`` (n,) the surest by the second stage first, ``before`` and ``after`` (n,) classes, or clusters.
    """
    truth = after.truth if after.truth is not None and bool((after.truth >= 0).any()) else None
    target = after.cluster if truth is None else truth
    named = [class_of_clusters(seen.cluster, target, seen.score.shape[1])[seen.cluster] for seen in (before, after)]
    moved = named[0] != named[1]
    rows = (moved if truth is None else moved & (named[1] == truth)).nonzero().flatten()
    rows = rows[after.score.cpu().max(1).values[rows].argsort(descending=True, stable=True)]
    return dict(row=rows.numpy(), before=named[0][rows].numpy(), after=named[1][rows].numpy())
