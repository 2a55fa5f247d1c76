"""What SPICE and SCAN share: several heads on a pre-trained network, of which a label-free loss keeps the best."""
from __future__ import annotations

import copy
from typing import Any, Optional

import torch
from torch import Tensor, nn

from mmcluster.functional.shards import WHOLE, Shards

from ..base_parts import base_parts, load_base_parts
from ..best_so_far import BestSoFar
from ..head_parts import build, build_head
from ..heads import MultiHead
from .base import BaseClusterer, forward_parts


class MultiHeadClusterer(BaseClusterer):
    """A clusterer that trains H heads and deploys the one with the lowest loss over the whole set.

    The embedding is the base's, ``neck(pooled(backbone(x)))``; heads are always its own. A ``BestHeadHook`` asks for
    :meth:`selection_losses` after every epoch and hands the best head to :meth:`keep_if_better`; ``outputs`` and
    ``deployed`` use the network that is kept in ``best_so_far``.

    Args:
        base: Config of a trained clusterer whose backbone and neck are taken over; its checkpoint
            (``base.init_cfg``) is loaded strictly when weights are initialised and is not needed on resume.
        backbone: Config that replaces the base's backbone; needed without a base.
        neck: Config that replaces the base's neck.
        head: Config of a :class:`~mmcluster.models.heads.MultiHead`.
        freeze: The network below the heads does not train.
        norm_eval: Batch norm of a frozen network uses its running statistics and leaves them alone.
        kwargs: See :class:`BaseClusterer`.

    Raises:
        ValueError: Without base and backbone, or with a single head that is no :class:`MultiHead`.
    """

    required_hooks = ('BestHeadHook',)

    head: MultiHead

    def __init__(self, head: dict, base: Optional[dict] = None, backbone: Optional[dict] = None,
                 neck: Optional[dict] = None, freeze: bool = False, norm_eval: bool = True, **kwargs: Any):
        if base is None and backbone is None:
            raise ValueError(f'{type(self).__name__} needs a base (a trained clusterer) or a backbone')
        given = dict(backbone=build(backbone), neck=build(neck))
        taken = base_parts(base, given, ('backbone', 'neck'))
        heads = build_head(head, **{**given, **taken})
        if not hasattr(heads, 'heads'):
            raise ValueError(f"{type(self).__name__} trains several heads and got a {type(heads).__name__}; give "
                             f"head=dict(type='MultiHead', num_heads=10, head=dict(...))")
        super().__init__(**{**given, **taken}, head=heads, **kwargs)
        self.base = copy.deepcopy(base)
        self.from_base = sorted(taken)
        self.freeze = freeze
        self.norm_eval = norm_eval
        if freeze:
            for part in self.below().values():
                part.requires_grad_(False)
        self.best_so_far = BestSoFar(self._candidates(0))

    @property
    def num_clusters(self) -> int:
        """K."""
        return self.head.num_clusters

    def below(self) -> dict[str, nn.Module]:
        """Parts below the heads, by name."""
        return {name: getattr(self, name) for name in ('backbone', 'neck') if getattr(self, name) is not None}

    def _candidates(self, head: int) -> dict[str, nn.Module]:
        """What ``best_so_far`` keeps: one head, and the network below it unless nothing there can change."""
        fixed = self.freeze and self.norm_eval
        return {**({} if fixed else self.below()), 'head': self.head.heads[head]}

    def init_weights(self) -> None:
        """Initialise heads, take over the base's weights, start the choice with the first head.

        A whole checkpoint brings the head that was kept, but not its loss, which is that of another run: the first
        choice of this run takes its place.
        """
        super().init_weights()
        if (self.init_cfg or {}).get('type') == 'Pretrained':
            self.best_so_far.loss.fill_(float('inf'))
            return
        if self.base is not None:
            load_base_parts(self, self.base, self.from_base)
        self.best_so_far.copy_from(self._candidates(0))

    def train(self, mode: bool = True) -> MultiHeadClusterer:
        """Training mode; a frozen network with ``norm_eval`` and the kept network stay in evaluation mode."""
        super().train(mode)
        self.best_so_far.eval()
        if self.freeze and self.norm_eval:
            for part in self.below().values():
                part.eval()
        return self

    def deployed(self) -> tuple[nn.Module, Optional[nn.Module], nn.Module]:
        """Backbone, neck and head that the selection kept."""
        kept = {**self.below(), **{name: getattr(self.best_so_far, name) for name in self.best_so_far.names}}
        return kept['backbone'], kept.get('neck'), kept['head']

    def features(self, x: Tensor) -> Tensor:
        """Embedding of the network in training, (B, C, H, W) -> (B, D), without gradient where it is frozen."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.freeze):
            return forward_parts(x, self.backbone, self.neck, None)[0].float()

    def head_logits(self, x: Tensor) -> Tensor:
        """Logits of all heads in training, (B, C, H, W) -> (B, H, K)."""
        return self.head(self.features(x)).float().transpose(0, 1)

    def selection_losses(self, logits: Tensor, shards: Shards = WHOLE) -> Tensor:
        """Label-free loss of every head over the whole training set, the lower the better. All ranks call it together.

        Args:
            logits: (n, H, K) logits of all heads, this rank's share of the rows in the order of the data set.
            shards: Who holds the N rows; ``shards.gather(logits)`` are those of all, for a loss that needs them.

        Returns:
            (H,); those of rank 0 count.
        """
        raise NotImplementedError(f'{type(self).__name__} has no selection loss')

    def stored_features(self) -> Tensor:
        """Embedding (N, D) of all rows, ``bank.feat``.

        Raises:
            RuntimeError: If it was not filled.
        """
        if self.bank is None or not self.bank.is_set('feat'):
            raise RuntimeError(f"{type(self).__name__}: bank.feat is not filled; add dict(type='FeatureHook') to "
                               f'custom_hooks')
        return self.bank.field('feat')

    def stored_neighbors(self, hook: str) -> Tensor:
        """Neighbours (N, k) of all rows, as many of ``bank.neighbors`` as every row has.

        Args:
            hook: The hook that mines them, for the message.

        Raises:
            RuntimeError: If no neighbours were mined.
        """
        assert self.bank is not None
        neighbors = self.bank.field('neighbors')
        neighbors = neighbors[:, (neighbors >= 0).all(dim=0)]
        if not neighbors.shape[1]:
            raise RuntimeError(f'{type(self).__name__}: bank.neighbors is not filled; add {hook} to custom_hooks')
        return neighbors

    def keep_if_better(self, losses: Tensor) -> bool:
        """Keep the best head if it is better than any kept before. Waits for the device: for hooks.

        Args:
            losses: (H,) of :meth:`selection_losses`, equal on all ranks; those that are not finite never win.

        Returns:
            Whether it was.
        """
        best = int(losses.where(losses.isfinite(), losses.new_tensor(float('inf'))).argmin())
        return self.best_so_far.keep_if_better(self._candidates(best), losses[best], best)
