"""The E-step of SCAN: nearest neighbours in feature space, mined once."""
from __future__ import annotations

import os
from typing import Any, Optional
from zipfile import BadZipFile

import numpy as np
import torch
from mmengine.dist import broadcast_object_list
from mmengine.runner import Runner
from torch import Tensor

from mmcluster.checks import require_count
from mmcluster.functional.clustering.neighbors import nearest
from mmcluster.functional.losses.contrast import unit_rows
from mmcluster.models import SampleBank
from mmcluster.models.clusterers import BaseClusterer
from mmcluster.models.shards import process_shards
from mmcluster.registry import HOOKS
from mmcluster.utils import on_main_process
from mmcluster.writing import whole_file

from ..approximate import inverted_file
from ..extract import unwrap
from .estep import ShardedEStepHook
from .sweep import all_rows


@HOOKS.register_module()
class NeighborHook(ShardedEStepHook):
    """Writes the k nearest other rows of every row, by cosine, to ``bank.neighbors`` (N, k + 1), itself first.

    k is that of the field, which the model declares. Checkpoints hold the field, so a resumed run mines nothing.

    Args:
        include_self: The first column is the row itself, as in the release. ``False``: it is -1, which samplers never
            draw.
        file: An ``.npz`` file of neighbours. One that exists takes the place of the sweep, after a check that it
            belongs to this data set and has enough columns (which network it came from is not checked); otherwise it
            is written.
        probes: Mine approximately, by faiss: so many of about sqrt(N / W) lists are looked into. ``None``: exactly.
        kwargs: See :class:`EStepHook`. ``network`` is that of the pretext task; ``output='project'`` its
            projections, as the release has it for small images, ``'embed'`` its backbone's vectors, as for ImageNet.
    """

    def __init__(self, include_self: bool = True, file: Optional[str] = None, probes: Optional[int] = None,
                 **kwargs: Any):
        require_count('NeighborHook', probes=probes)
        super().__init__('neighbors', interval=-1, **kwargs)
        if self.views != 'test':
            raise ValueError("NeighborHook compares one vector an image; set views='test'")
        self.include_self = include_self
        self.file = file
        self.search = None if probes is None else inverted_file(probes)

    def before_train(self, runner: Runner) -> None:
        """Refuse a field of another kind and a data set with too few images."""
        num_samples, k = len(runner.train_dataloader.dataset), self._k(runner)
        if k > num_samples - 1:
            raise ValueError(f'NeighborHook: {k} neighbours besides the image itself need {k + 1} images, the data '
                             f'set has {num_samples}; lower num_neighbors of the model')

    def check_output(self, model: BaseClusterer) -> None:
        """Nothing is swept if there is a file."""
        if self.file is None or not os.path.exists(self.file):
            super().check_output(model)

    def before_train_epoch(self, runner: Runner) -> None:
        """Read the file if there is one, else run the E-step when it is due."""
        bank: SampleBank = unwrap(runner.model).bank
        if self.file is not None and not bank.is_set(self.field):
            stored = [on_main_process(self.read, runner)]
            broadcast_object_list(stored)
            if stored[0] is not None:
                bank.fill(**{self.field: stored[0]})
                return
        super().before_train_epoch(runner)

    def estimate(self, runner: Runner, features: Tensor) -> dict[str, Tensor]:
        """Neighbours (n, k + 1); logs their mean similarity and writes the file."""
        shards = process_shards()
        similarity, index = nearest(unit_rows(features), self._k(runner), include_self=False, shards=shards,
                                    search=self.search)
        total = sum(shards.sizes(len(index)))
        mean = float(shards.sum(similarity.sum(dtype=torch.float64))) / (total * index.shape[1])
        runner.message_hub.update_scalar('train/neighbor_similarity', mean)
        runner.logger.info(f'{index.shape[1]} neighbours of {total} images, mean similarity {mean:.4f}')
        if self.file is not None:
            on_main_process(self.write, runner, all_rows(index))
        return {self.field: self._with_self(index, shards.start(len(index)))}

    def _with_self(self, index: Tensor, start: int = 0) -> Tensor:
        """Put a first column before neighbours (n, k) of rows from ``start`` on."""
        first = torch.arange(start, start + len(index), device=index.device)
        return torch.cat([(first if self.include_self else -torch.ones_like(first))[:, None], index], 1)

    def read(self, runner: Runner) -> Optional[Tensor]:
        """Neighbours (N, k + 1) from the file, ``None`` if there is none. On rank 0.

        Args:
            runner: The Runner.

        Raises:
            ValueError: If the file belongs to other images, holds too few neighbours or is no such file.
        """
        if self.file is None or not os.path.isfile(self.file):
            return None
        dataset, k = runner.train_dataloader.dataset, self._k(runner)
        try:
            with np.load(self.file, allow_pickle=False) as stored:
                (rows, width), index, fingerprint = stored['index'].shape, stored['index'], int(stored['fingerprint'])
        except (AttributeError, BadZipFile, EOFError, KeyError, OSError, TypeError, ValueError) as error:
            raise ValueError(f'{self.file} is no file of NeighborHook ({error}); name another one') from None
        if fingerprint != dataset.fingerprint or rows != len(dataset):
            raise ValueError(f'the neighbours in {self.file} belong to other images ({rows} rows, fingerprint '
                             f'{fingerprint}; this data set has {len(dataset)} and {dataset.fingerprint}); delete the '
                             f'file to mine them again, or name another one')
        if width < k:
            raise ValueError(f'{self.file} holds {width} neighbours an image, the model asks for {k}; delete the file, '
                             f'name another one, or lower num_neighbors')
        runner.logger.info(f'neighbours come from {self.file}')
        return self._with_self(torch.from_numpy(index[:, :k].astype(np.int64)))

    def write(self, runner: Runner, index: Tensor) -> None:
        """Write the file in one step. On rank 0.

        Args:
            runner: The Runner.
            index: (N, k), without the images themselves.
        """
        assert self.file is not None        # nothing is written without
        os.makedirs(os.path.dirname(os.path.abspath(self.file)), exist_ok=True)
        with whole_file(self.file) as file:
            np.savez(file, index=index.cpu().numpy(), fingerprint=np.int64(runner.train_dataloader.dataset.fingerprint))

    def _k(self, runner: Runner) -> int:
        """k, from the bank field.

        Raises:
            ValueError: If the field has no row of neighbours.
        """
        bank: SampleBank = unwrap(runner.model).bank
        field = bank.read(self.field, torch.zeros(1, dtype=torch.long, device=bank.fingerprint.device))
        if field.dim() != 2 or field.shape[1] < 2:
            raise ValueError(f'NeighborHook: bank field {self.field!r} has rows of shape {tuple(field.shape[1:])}, '
                             f'not (k + 1,); SCAN declares a fitting one')
        return field.shape[1] - 1
