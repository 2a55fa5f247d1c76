"""A run that diverges ends before it replaces what is good."""
from __future__ import annotations

from typing import Optional, Sequence

import torch
from mmengine.dist import all_reduce, get_world_size
from torch import Tensor, nn

from mmcluster.functional.finite import bad_rows_of_all, name_rows
from mmcluster.models.shards import process_shards


def check_finite(model: nn.Module, name: str) -> None:
    """Refuse to put weights or buffers that are not finite in the place of good ones; waits for the device once.

    Args:
        model: A module. Submodules list in ``may_be_infinite`` which of their buffers may be.
        name: File that would be written.

    Raises:
        FloatingPointError: If a parameter or a persistent buffer is not finite.
    """
    infinite = {f'{path}.{buffer}'.lstrip('.') for path, module in model.named_modules()
                for buffer in getattr(module, 'may_be_infinite', ())}
    values = {key: value for key, value in model.state_dict().items()
              if isinstance(value, Tensor) and value.is_floating_point() and key not in infinite}
    finite = [torch.isfinite(value).all() for value in values.values()]
    if finite and not torch.stack(finite).all():
        bad = [key for key, good in zip(values, finite) if not good]
        raise FloatingPointError(f'{name} was not saved: its weights are not finite ({", ".join(bad[:3])}). The '
                                 f'network diverged: lower the learning rate or train in float32, and go on from an '
                                 f'earlier checkpoint, which is untouched.')


def check_losses(bad: list[str]) -> None:
    """Stop all ranks if a loss of one of them is not finite.

    Args:
        bad: What is wrong on this rank, the earliest first.

    Raises:
        FloatingPointError: If anything is.
    """
    found = bool(bad)
    if get_world_size() > 1:
        every = torch.tensor(float(found))
        all_reduce(every)
        found = bool(every)
    if found:
        raise FloatingPointError(
            f'the loss is not finite: {", ".join(bad[:3]) or "on another process"}. The network diverged, or what it '
            f'reads holds NaN: lower the learning rate, train in float32, or look at the data, and go on from an '
            f'earlier checkpoint by --resume; all of them are untouched.')


def check_features(features: Tensor, model: nn.Module, paths: Optional[Sequence[str]], who: str, epoch: int) -> None:
    """Refuse features of a sweep that are not finite, and name their images; all ranks call it, and all raise.

    Args:
        features: (n, ...), a rank's share in the order of the data set.
        model: What made them.
        paths: (N,) names of the images, if they have any.
        who: Who asked; it begins the message.
        epoch: Number of the epoch.

    Raises:
        FloatingPointError: If one is not.
    """
    bad, first, total = bad_rows_of_all(features, process_shards())
    if not bad:
        return
    sound = bad < total and all(bool(param.isfinite().all()) for param in model.parameters())
    cause = 'The weights are, so look at these images first; if they are sound, t' if sound else 'T'
    raise FloatingPointError(
        f'{who}: features of epoch {epoch} are not finite in {bad} of {total} rows, '
        f'{name_rows(first, paths)}. {cause}he network diverged: lower the learning rate or train in float32. Earlier '
        f'checkpoints are untouched.')
