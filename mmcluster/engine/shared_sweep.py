"""Validation in the precision of the training step, whose embedding the next E-step takes over."""
from __future__ import annotations

from typing import Any, Optional, Sequence

import torch
from mmengine.runner import ValLoop
from mmengine.runner.amp import autocast
from torch import Tensor
from torch.utils.data import Dataset

from mmcluster.registry import LOOPS

from .extract import Share, step_dtype, unwrap


@LOOPS.register_module()
class SharedSweepLoop(ValLoop):
    """mmengine's validation, under the autocast of the training step, which remembers what it embedded.

    An E-step that comes after an evaluation of the same images sees the same weights: one sweep serves both. It is
    kept only where a hook can use it, until that hook took it or training went on.

    Args:
        args: See mmengine's ``ValLoop``.
        kwargs: The same.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._parts: list[tuple[Tensor, Tensor]] = []
        self._iteration = -1

    def run(self) -> dict:
        """Evaluate."""
        self._parts.clear()
        self._iteration = self.runner.iter
        return super().run()

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: Sequence[dict]) -> None:
        """One batch.

        Args:
            idx: Its number.
            data_batch: stream -> Rows.
        """
        self.runner.call_hook('before_val_iter', batch_idx=idx, data_batch=data_batch)
        dtype = step_dtype(self.runner)
        device = next(unwrap(self.runner.model).parameters()).device
        with autocast(device_type=device.type, dtype=dtype, enabled=dtype is not None):
            outputs = self.runner.model.val_step(data_batch)
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        if self._is_wanted():
            self._parts += [(sample['index'], sample['embed']) for sample in outputs]
        self.runner.call_hook('after_val_iter', batch_idx=idx, data_batch=data_batch, outputs=outputs)

    def take(self, dataset: Dataset, batch_size: int) -> Optional[Tensor]:
        """The embedding of the evaluation that was just made, once; ``None`` where there is none of these images in
        these batches. All ranks call it together.

        Args:
            dataset: Whose rows are wanted.
            batch_size: In which the rows would be embedded: sums round otherwise in batches of another size.

        Returns:
            (n, D) float32, by data set index, as :func:`~mmcluster.engine.extract.extract_share` returns it.
        """
        parts, self._parts = self._parts, []
        if self._iteration != self.runner.iter or not self._is_of(dataset, batch_size):
            return None
        share = Share(len(dataset), next(unwrap(self.runner.model).parameters()).device)    # type: ignore[arg-type]
        for index, rows in parts:
            share.put(index, rows)
        return share.whole()

    def _is_of(self, dataset: Any, batch_size: int) -> bool:
        """Whether this loop evaluates a data set, in batches of this size."""
        own, sampler = self.dataloader.dataset, self.dataloader.sampler
        return (len(own) == len(dataset) and getattr(sampler, 'batch_size', None) == batch_size
                and getattr(own, 'fingerprint', 0) == getattr(dataset, 'fingerprint', 1))

    def _is_wanted(self) -> bool:
        """Whether a hook may take the rows."""
        return any(hook.sees_what_evaluation_sees() and hook.is_due(self.runner) for hook in self.runner.hooks
                   if hasattr(hook, 'is_due'))
