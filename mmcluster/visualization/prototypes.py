"""Which images stand for a cluster, and where in an image its prototype is found (SPICE section IV-F, Fig. 5)."""
from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from mmcluster.functional.clustering.attention import prototype_indices, prototype_maps
from mmcluster.functional.labels.estep import prototype_estep
from mmcluster.functional.losses.contrast import unit_rows


class Prototypes(NamedTuple):
    """Prototypes of all clusters.

    Attributes:
        members: (K, kc) long, rows that make a prototype, the surest first.
        centers: (K, D), means of the members' unit embeddings.
        top: (K, n) long, rows most similar to a prototype, the nearest first.
    """
    members: Tensor
    centers: Tensor
    top: Tensor


def find_prototypes(embed: Tensor, score: Tensor, top: int = 3, center_ratio: float = 0.5) -> Prototypes:
    """Prototypes over a whole data set: the E-step of SPICE with M = N, and the rows nearest to each centre.

    Args:
        embed: (N, D) embedding, compared by cosine.
        score: (N, K), the larger the surer that a row belongs to a cluster: probabilities of a head, or similarities
            to the centres of k-means.
        top: n.
        center_ratio: Share of the N / K rows of a cluster that make its prototype.

    Raises:
        ValueError: If there are fewer rows than clusters, or the share leaves none for a prototype.
    """
    estep = prototype_estep(score[None], embed, center_ratio)
    return Prototypes(estep.members[0], estep.centers[0], prototype_indices(estep.centers[0], unit_rows(embed), top))


@torch.no_grad()
def feature_map(backbone: nn.Module, x: Tensor) -> Tensor:
    """Map of a backbone before it is averaged over space.

    A backbone gives it by a method ``feature_map(x)``, or by returning maps itself as mmpretrain's do.

    Args:
        backbone: Its forward pass returns vectors, maps, or a tuple that ends in one of them.
        x: (B, C, H, W).

    Returns:
        (B, F, h, w).

    Raises:
        ValueError: If the backbone has no map.
    """
    found = getattr(backbone, 'feature_map', backbone)(x)
    found = found[-1] if isinstance(found, (tuple, list)) else found
    if found.dim() != 4:
        raise ValueError(f'{type(backbone).__name__} has no map of places in the image: it returns '
                         f'{tuple(found.shape)} for {tuple(x.shape)}. Give it a method feature_map(x) -> (B, F, h, w), '
                         f'or ask for prototypes without attention')
    return found.float()


def map_centers(vectors: Tensor, metric: str = 'cosine') -> Tensor:
    """Prototypes in the space of a backbone's maps.

    Args:
        vectors: (K, kc, F), maps of each prototype's members averaged over space.
        metric: As in :func:`attention`: ``'cosine'`` takes the mean of unit vectors, ``'dot'`` of the vectors as given.

    Returns:
        (K, F).
    """
    rows = vectors.flatten(0, 1)
    return (unit_rows(rows) if metric == 'cosine' else rows).view(vectors.shape).mean(dim=1)


def attention(centers: Tensor, maps: Tensor, cluster: Tensor, size: tuple[int, int],
              metric: str = 'cosine') -> Tensor:
    """Where in each image the prototype of a cluster is found.

    Args:
        centers: (K, F) prototypes in the space of the maps.
        maps: (B, F, h, w) of :func:`feature_map`.
        cluster: (B,) cluster that is looked for in each image.
        size: Height and width of the images.
        metric: ``'cosine'`` (the paper) or ``'dot'`` (its release).

    Returns:
        (B, H, W) in [0, 1], stretched on the map and then resized bilinearly.
    """
    found = torch.stack([prototype_maps(centers[i][None], plane, metric) for i, plane in zip(cluster.tolist(), maps)])
    return nn.functional.interpolate(found, size=size, mode='bilinear', align_corners=False)[:, 0]
