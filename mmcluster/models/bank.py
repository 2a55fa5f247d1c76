"""The one home of per-sample state."""
from __future__ import annotations

import math
from typing import Any, Optional

import torch
from torch import Tensor, nn

from mmcluster.registry import MODELS

from .gather import gather_rows


@MODELS.register_module()
class SampleBank(nn.Module):
    """Tensors of N rows, keyed by the global data set index and equal on all ranks.

    Args:
        num_samples: N. ``None`` is replaced by the size of the training set when a run starts.
        fields: name -> ``dict(shape=(), dtype='long', fill=-1, persistent=True)``; each becomes a buffer (N, *shape).
        fingerprint: 63-bit number of the data set; 0 stands for unknown. Loading a bank of another data set raises.
    """

    fingerprint: Tensor

    def __init__(self, num_samples: Optional[int], fields: Optional[dict[str, dict]] = None, fingerprint: int = 0):
        super().__init__()
        if not num_samples:
            raise ValueError(
                'SampleBank needs num_samples, the size of the training set. `mmcluster.recipes.recipe.run` fills it '
                'in; when you build a model by hand, give model.bank.num_samples yourself.')
        self.num_samples = num_samples
        self.fills: dict[str, Any] = {}
        self.register_buffer('fingerprint', torch.tensor(fingerprint, dtype=torch.long))
        for name, field in (fields or {}).items():
            self.add_field(name, **field)

    def add_field(self, name: str, shape: tuple = (), dtype: str = 'long', fill: float = -1,
                  persistent: bool = True) -> None:
        """Add a buffer (N, *shape) filled with ``fill``; the same field may be asked for twice.

        Args:
            name: Field name.
            shape: Shape of one row.
            dtype: Name of a torch dtype.
            fill: Value of a row that was never written.
            persistent: Whether checkpoints hold the field.

        Raises:
            ValueError: If the name stands for another field already, or ``dtype`` for no dtype.
        """
        kind = getattr(torch, str(dtype), None)
        if not isinstance(kind, torch.dtype):
            raise ValueError(f"bank field {name!r}: dtype must be the name of a torch dtype, such as 'long', "
                             f'got {dtype!r}')
        rows = torch.full((self.num_samples, *shape), fill, dtype=kind)
        if name in self.fills:
            old = getattr(self, name)
            if old.shape != rows.shape or old.dtype != rows.dtype:
                raise ValueError(f'bank field {name!r} is asked for with shape {tuple(rows.shape)} {rows.dtype} '
                                 f'and with {tuple(old.shape)} {old.dtype}; rename one of the two')
            return
        self.register_buffer(name, rows, persistent=persistent)
        self.fills[name] = fill

    @property
    def may_be_infinite(self) -> list[str]:
        """Fields in which a value that is not finite stands for a row that was never written."""
        return [name for name, fill in self.fills.items() if not math.isfinite(fill)]

    def read(self, name: str, index: Tensor) -> Tensor:
        """Rows of one field.

        Args:
            name: Field name.
            index: (B,) data set index.

        Returns:
            (B, *shape).
        """
        return self.field(name).index_select(0, index)

    @torch.no_grad()
    def write(self, index: Tensor, where: Optional[Tensor] = None, **values: Tensor) -> None:
        """Store rows of all ranks, so that every rank holds the same bank afterwards.

        Args:
            index: (B,) data set index, the same B on every rank.
            where: (B,) bool, rows to store; ``None`` stores all. Of duplicates the last such row is stored.
            values: field name -> (B, *shape).
        """
        index = gather_rows(index)
        where = None if where is None else gather_rows(where)
        for name, value in values.items():
            field = self.field(name)
            self._store(field, index, gather_rows(_fitting(name, value, len(value), field)), where)

    @torch.no_grad()
    def exchange(self, name: str, index: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Store rows of all ranks and return what stood there before.

        The second occurrence of a row in the gathered batch sees the first one's value as old.

        Args:
            name: Field name.
            index: (B,) data set index, the same B on every rank.
            value: (B, *shape).

        Returns:
            old (W * B, *shape) and new (W * B, *shape), in rank order.
        """
        field = self.field(name)
        index, new = gather_rows(index), gather_rows(_fitting(name, value, len(value), field))
        order = torch.argsort(index, stable=True)       # puts the occurrences of a row side by side, the first first
        ordered = index[order]
        repeated = torch.zeros_like(ordered, dtype=torch.bool)
        repeated[1:] = ordered[1:] == ordered[:-1]
        before = torch.roll(new[order], 1, 0)
        stored = field.index_select(0, ordered)
        old = torch.empty_like(new)
        old[order] = torch.where(repeated.view(-1, *[1] * (field.dim() - 1)), before, stored)
        self._store(field, index, new)
        return old, new

    def _store(self, field: Tensor, index: Tensor, value: Tensor, where: Optional[Tensor] = None) -> None:
        """Write (M, *shape) rows that are equal on all ranks; duplicates all carry the last unmasked value."""
        # Of a row that occurs twice, index_copy_ keeps whichever the device writes last: all its occurrences carry the
        # value of the last one, so that ranks and repeated runs agree. Masked rows write back what stands there,
        # since choosing them by a mask would wait for the device.
        position = torch.arange(len(index), device=index.device)
        if where is not None:
            position = position.where(where, -torch.ones_like(position))
        last = torch.full((self.num_samples,), -1, dtype=torch.long, device=index.device)
        source = last.scatter_reduce_(0, index, position, 'amax')[index]
        keep = (source >= 0).view(-1, *[1] * (field.dim() - 1))
        field.index_copy_(0, index, torch.where(keep, value[source.clamp(min=0)], field.index_select(0, index)))

    @torch.no_grad()
    def fill(self, index: Optional[Tensor] = None, **values: Tensor) -> None:
        """Store the outcome of a sweep, equal on all ranks already.

        Args:
            index: (n,) rows that were swept; ``None`` is the whole field.
            values: field name -> (N, *shape) or (n, *shape).

        Raises:
            ValueError: If rows do not fit, or have fractions that a field of whole numbers would cut.
        """
        for name, value in values.items():
            field = self.field(name)
            if cuts(value, field):
                raise ValueError(f'bank field {name!r} holds whole numbers, and would cut the fractions it is given; '
                                 f"declare it as dict(dtype='float32', fill=0)")
            value = _fitting(name, value, len(field) if index is None else len(index), field).to(field)
            if index is None:
                field.copy_(value)
            else:
                field.index_copy_(0, index.to(field.device), value)

    def is_set(self, name: str) -> bool:
        """Whether any row of the field was written. Waits for the device: for hooks, not for ``loss``."""
        field, fill = self.field(name), self.fills[name]
        return bool((~field.isnan() if math.isnan(fill) else field != fill).any())

    def field(self, name: str) -> Tensor:
        """All rows (N, *shape) of one field, the buffer itself.

        Args:
            name: Field name.

        Raises:
            KeyError: If there is no such field.
        """
        if name not in self.fills:
            raise KeyError(f'the bank has no field {name!r}; it has {sorted(self.fills)}. No part of '
                           f'the model reads it: drop the hook that fills it, or add it in model.bank.fields.')
        return getattr(self, name)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args: Any) -> None:
        fingerprint = state_dict.get(prefix + 'fingerprint')
        if fingerprint is not None and 0 not in (int(fingerprint), int(self.fingerprint)) \
                and int(fingerprint) != int(self.fingerprint):
            raise ValueError(
                f'the checkpoint\'s sample bank belongs to another data set (fingerprint {int(fingerprint)}, this '
                f'data set has {int(self.fingerprint)}). Train on the data it was made from, or start from the '
                f'weights alone.')
        for name in self.fills:
            rows = state_dict.get(prefix + name)
            if rows is not None and rows.shape != getattr(self, name).shape:
                raise ValueError(
                    f'the checkpoint\'s bank field {name!r} has shape {tuple(rows.shape)}, this run needs '
                    f'{tuple(getattr(self, name).shape)}: another data set size, or number of clusters or neighbours. '
                    f'Use the data and settings of the checkpoint, or start from the weights alone.')
        super()._load_from_state_dict(state_dict, prefix, *args)


def _fitting(name: str, value: Tensor, rows: int, field: Tensor) -> Tensor:
    """Rows in the type of a field; those of another shape would be spread over it."""
    if value.shape != (rows, *field.shape[1:]):
        raise ValueError(f'bank field {name!r} takes {(rows, *field.shape[1:])}, got {tuple(value.shape)}; declare it '
                         f"with the shape of a row, as dict(shape=(3,), dtype='float32', fill=0)")
    return value.to(field.dtype)


def cuts(value: Tensor, field: Tensor) -> bool:
    """Whether a field of whole numbers would cut fractions of a value. Waits for the device."""
    return value.is_floating_point() and not field.is_floating_point() and bool((value.frac() != 0).any())
