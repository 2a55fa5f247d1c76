"""Training loops that mmengine lacks."""
from __future__ import annotations

from typing import Any, Iterator, Sequence

import torch
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch.utils.data import DataLoader

from mmcluster.models import SPICE
from mmcluster.registry import LOOPS

from .extract import unwrap


class GroupedLoader:
    """A loader whose items are lists of ``group`` consecutive items of another one; all else is the other one's.

    Args:
        loader: A data loader.
        group: Items per list; a ragged rest is left out.
    """

    def __init__(self, loader: DataLoader, group: int):
        self.loader = loader
        self.group = group

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__['loader'], name)

    def __len__(self) -> int:
        """Lists per epoch."""
        return len(self.loader) // self.group

    def __iter__(self) -> Iterator[list]:
        """Yield the lists of one epoch."""
        items = iter(self.loader)
        for _ in range(len(self)):
            yield [next(items) for _ in range(self.group)]


@LOOPS.register_module()
class EStepLoop(EpochBasedTrainLoop):
    """Epochs of E-steps alone, for methods without an M-step: hooks before and after an epoch, and nothing between.

    Args:
        args: See mmengine's ``EpochBasedTrainLoop``.
        kwargs: The same.
    """

    def run_epoch(self) -> None:
        """One epoch."""
        self.runner.call_hook('before_train_epoch')
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1


@LOOPS.register_module()
class InnerStepLoop(EpochBasedTrainLoop):
    """Several optimiser steps per iteration: one iteration is one E-step, with the M-steps that follow from it.

    The sampler yields the rows of a step in ``micro_batches`` lists (see ``StreamSampler``), which bound the memory
    that views take; an iteration collects them. The model's ``steps(groups)`` walks through their views once, as they
    are made, and turns them into one argument of ``loss`` after the other, each of which is one optimiser step. Hooks,
    schedules, momentum teachers and logs count iterations.

    Args:
        runner: The Runner.
        dataloader: The loader or its config.
        kwargs: See mmengine's ``EpochBasedTrainLoop``.
    """

    def __init__(self, runner: Runner, dataloader: Any, **kwargs: Any):
        if isinstance(dataloader, dict):
            dataloader = runner.build_dataloader(dataloader, seed=runner.seed)
        super().__init__(runner, GroupedLoader(dataloader, getattr(dataloader.sampler, 'micro_batches', 1)), **kwargs)

    def run(self) -> torch.nn.Module:
        """Train.

        Raises:
            ValueError: If gradients are accumulated: mmengine counts iterations for that, not the steps inside.
        """
        if getattr(self.runner.optim_wrapper, '_accumulative_counts', 1) != 1:
            raise ValueError('an InnerStepLoop cannot accumulate gradients: take optim_wrapper.accumulative_counts=1, '
                             'and a smaller model.batch_size if memory is short')
        return super().run()

    def run_iter(self, idx: int, data_batch: Sequence[dict]) -> None:
        """One iteration.

        Args:
            idx: Number of the iteration in its epoch.
            data_batch: The parts of a step, each stream -> Rows.
        """
        self.runner.call_hook('before_train_iter', batch_idx=idx, data_batch=data_batch)
        outputs = self._inner_steps(data_batch)
        self.runner.call_hook('after_train_iter', batch_idx=idx, data_batch=data_batch, outputs=outputs)
        self._iter += 1

    def _inner_steps(self, parts: Sequence[dict]) -> dict[str, torch.Tensor]:
        """Run all optimiser steps of an iteration; returns the mean of what they log."""
        wrapper, optim_wrapper = self.runner.model, self.runner.optim_wrapper
        model: SPICE = unwrap(wrapper)
        sums: dict[str, torch.Tensor] = {}
        count = 0
        groups = (model.data_preprocessor(part, True)['data_samples'] for part in parts)
        steps = iter(model.steps(groups))
        while True:
            with optim_wrapper.optim_context(wrapper):
                arguments = next(steps, None)
                if arguments is None:
                    break
                losses = wrapper(data_samples=arguments, mode='loss')
            loss, logged = model.parse_losses(losses)
            optim_wrapper.update_params(loss)
            for name, value in logged.items():
                sums[name] = sums.get(name, 0) + value.detach()
            count += 1
        return {name: value / count for name, value in sums.items()}
