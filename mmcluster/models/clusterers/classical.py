"""Clustering without training, on pixels or on the features of a frozen network."""
from __future__ import annotations

import copy
from typing import Any, NoReturn, Optional, Union

import torch
from torch import Tensor, nn

from mmcluster.checks import require_two_clusters
from mmcluster.functional.clustering.classical import classical_estimator, classical_labels
from mmcluster.registry import MODELS
from mmcluster.structures import TEST_STREAM, Batch

from ..bank import SampleBank
from ..base_parts import base_parts, load_base_parts
from ..head_parts import build
from .base import BaseClusterer


@MODELS.register_module()
class ClassicalClusterer(BaseClusterer):
    """A method of scikit-learn, fitted once by a ``ClassicalHook``; the labels of its images are the whole result.

    There is no M-step: an ``EStepLoop`` runs it. Most of these methods say nothing about other images, so neither does
    this: it evaluates the images that it was fitted on.

    Args:
        method: A key of :data:`mmcluster.functional.clustering.classical.METHODS`.
        num_clusters: K.
        options: Further parameters, by scikit-learn's names.
        base: Config of a trained clusterer whose embedding is clustered; its checkpoint (``base.init_cfg``) is loaded
            strictly when weights are initialised.
        backbone: Config of what makes the rows without a base, ``Pixels`` as a rule: images, or features of an encoder
            that are the data set.
        kwargs: See :class:`BaseClusterer`; the bank is needed.

    Raises:
        ValueError: Without base and backbone, with fewer than two clusters, or if scikit-learn has no such method or
            parameter.
    """

    required_hooks = ('ClassicalHook',)

    bank: SampleBank

    def __init__(self, method: str, num_clusters: int, options: Optional[dict] = None, base: Optional[dict] = None,
                 backbone: Union[dict, nn.Module, None] = None, **kwargs: Any):
        if base is None and backbone is None:
            raise ValueError('ClassicalClusterer needs a base (a trained clusterer) or a backbone such as Pixels')
        require_two_clusters('ClassicalClusterer', num_clusters)
        given = dict(backbone=build(backbone))
        taken = base_parts(base, given, ('backbone', 'neck'))
        super().__init__(**{**given, **taken}, **kwargs)
        self.requires_grad_(False)
        classical_estimator(method, num_clusters, options=options)     # refuses now what it would refuse after a sweep
        self.method = method
        self.num_clusters = num_clusters
        self.options = options
        self.base = copy.deepcopy(base)
        self.from_base = sorted(taken)
        self.bank.add_field('label')
        # a Runner asks for an optimiser and for a device, which a model without any weight does not have
        self.unused = nn.Parameter(torch.zeros(()))

    def init_weights(self) -> None:
        """Initialise the parts and take over the base's weights."""
        super().init_weights()
        if self.base is not None and (self.init_cfg or {}).get('type') != 'Pretrained':
            load_base_parts(self, self.base, self.from_base)

    def fit(self, embed: Tensor, seed: int) -> Tensor:
        """Labels (N,) of the embedding (N, D) of all images."""
        return classical_labels(embed, self.method, self.num_clusters, seed, self.options)

    def predict(self, x: Tensor) -> NoReturn:
        """Refuse: other images have no label."""
        raise ValueError(f'{self.method} labelled the images that it was fitted on, in bank.label, and says nothing of '
                         f'others: cluster all images together')

    def forward(self, inputs: Optional[Tensor] = None, data_samples: Optional[dict[str, Batch]] = None,
                mode: str = 'tensor') -> Any:
        """Entry point of the Runner, see :class:`BaseClusterer`; an evaluation reads labels by data set index."""
        if mode != 'predict' or data_samples is None:
            return super().forward(inputs, data_samples, mode)
        batch = data_samples[TEST_STREAM]
        label = self.bank.read('label', batch.index)
        prob = nn.functional.one_hot(label, self.num_clusters).float()
        return [dict(index=batch.index, embed=self.embed(batch.views[0]).float(), prob=prob,
                     num_clusters=self.num_clusters)]
