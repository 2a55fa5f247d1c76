"""The centres of a run's final clustering, by which new images are given to its clusters."""
from __future__ import annotations

from typing import Any, Optional

import torch
from torch import Tensor, nn

METRICS = ('cosine', 'euclidean')


class Centers(nn.Module):
    """Centres of one k-means.

    Args:
        value: (K, D).
        metric: Place of its metric in ``METRICS``.
        is_result: Whether its clusters are the run's result, rather than those of a head.
    """

    value: Tensor
    metric: Tensor
    is_result: Tensor

    def __init__(self, value: Tensor, metric: int, is_result: bool):
        super().__init__()
        self.register_buffer('value', value.detach().clone())
        self.register_buffer('metric', torch.tensor(metric))
        self.register_buffer('is_result', torch.tensor(is_result))


class FinalCenters(nn.Module):
    """Name of a metric -> :class:`Centers`: empty in training, filled when a run ends.

    It takes whatever centres a checkpoint has; one that was written during training has none.
    """

    takes_any_key = True

    def keep(self, name: str, value: Tensor, metric: str = 'cosine', is_result: bool = True) -> None:
        """Keep the centres of a k-means.

        Args:
            name: Prefix of the metric that made them.
            value: (K, D).
            metric: ``'cosine'`` or ``'euclidean'``.
            is_result: See :class:`Centers`.
        """
        self.add_module(_key(name), Centers(value, METRICS.index(metric), is_result))

    def clear(self) -> None:
        """Forget all centres, as those of another epoch tell nothing."""
        self._modules.clear()

    def get(self, name: str, metric: str = 'cosine') -> Optional[Tensor]:
        """Centres (K, D) of a metric's k-means, ``None`` if there are none of it."""
        found = self._modules.get(_key(name))
        return found.value if isinstance(found, Centers) and METRICS[int(found.metric)] == metric else None

    def result(self) -> Optional[tuple[Tensor, str]]:
        """Centres (K, D) of the run's result and their metric, ``None`` where it is a head's or there is none yet."""
        return next(((found.value, METRICS[int(found.metric)]) for found in self._modules.values()
                     if isinstance(found, Centers) and bool(found.is_result)), None)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args: Any) -> None:
        self.clear()
        for name in dict.fromkeys(key[len(prefix):].split('.')[0] for key in state_dict if key.startswith(prefix)):
            metric, is_result = (state_dict[f'{prefix}{name}.{field}'] for field in ('metric', 'is_result'))
            self.add_module(name, Centers(state_dict[f'{prefix}{name}.value'], int(metric), bool(is_result)))


def _key(name: str) -> str:
    """A metric's prefix as the name of a submodule."""
    return name.replace('.', '_')
