"""One sweep over a data set in evaluation mode: features keyed by the data set index."""
from __future__ import annotations

from typing import Callable, Optional

import torch
import torch.distributed as dist
from mmengine.dist import get_world_size
from mmengine.model import is_model_wrapper
from mmengine.runner.amp import autocast
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mmcluster.datasets import SweepSampler, identity
from mmcluster.structures import TEST_STREAM, Batch

OUTPUTS = ('embed', 'logits', 'head_probs', 'embed+head_probs')


def unwrap(model: nn.Module) -> nn.Module:
    """The model inside a data-parallel wrapper, or the model itself."""
    return model.module if is_model_wrapper(model) else model


def sweep_loader(dataset: torch.utils.data.Dataset, batch_size: int = 512, num_workers: int = 0,
                 stream: str = TEST_STREAM, seed: int = 0, epoch: int = 0) -> DataLoader:
    """A loader that passes once over this rank's share of a data set.

    Args:
        dataset: An :class:`IndexedDataset`.
        batch_size: Rows a batch.
        num_workers: Worker processes; 0 is right for the in-memory door.
        stream: ``'test'`` for evaluation views, or the name of a training stream for its views.
        seed: Seed of the views of a training stream.
        epoch: Number of the sweep; a new one draws new training views.
    """
    sampler = SweepSampler(dataset, batch_size, stream=stream, seed=seed)
    sampler.set_epoch(epoch)
    return DataLoader(dataset, batch_size=None, sampler=sampler, num_workers=num_workers, collate_fn=identity)


def output_function(model: nn.Module, output: str) -> Callable[[Tensor], Tensor]:
    """The function (B, C, H, W) -> (B, D) that a name stands for.

    Args:
        model: A clusterer.
        output: ``'embed'``, ``'logits'``, ``'head_probs'``, ``'embed+head_probs'`` (side by side in one row), or a
            method of the clusterer.

    Raises:
        ValueError: If the clusterer has no such output.
    """
    if output in ('logits', 'head_probs', 'embed+head_probs') and model.deployed()[2] is None:
        raise ValueError(f"{type(model).__name__} has no head, so there is no output {output!r}; use 'embed', or give "
                         f'the config of a model with a head')
    if output == 'head_probs':
        return lambda x: model.logits(x).float().softmax(1)
    if output == 'embed+head_probs':
        return lambda x: _side_by_side(*model.outputs(x))
    if callable(getattr(model, output, None)):
        return getattr(model, output)
    raise ValueError(f'{type(model).__name__} has no output {output!r}; known are {OUTPUTS} and its own methods')


def _side_by_side(embed: Tensor, logits: Tensor) -> Tensor:
    """Embedding (B, D) and probabilities (B, K) as one row (B, D + K)."""
    return torch.cat([embed.float(), logits.float().softmax(1)], 1)


@torch.no_grad()
def extract(model: nn.Module, loader: DataLoader, num_samples: int, output: str = 'embed', views: str = 'test',
            dtype: Optional[torch.dtype] = None) -> Tensor:
    """Features of all rows, ordered by data set index, equal on all ranks. Every rank sweeps its share.

    Args:
        model: A clusterer; its training mode and buffers are restored afterwards.
        loader: Made by :func:`sweep_loader`.
        num_samples: N.
        output: See :func:`output_function`.
        views: ``'test'``: evaluation views, evaluation mode. ``'train'``: training views and training mode without
            gradient; buffers such as batch-norm statistics are restored.
        dtype: Autocast type; ``None`` computes in float32.

    Returns:
        (N, D) float32 on the model's device; with training views (N, V, D).
    """
    model = unwrap(model)
    training, kept = model.training, [buffer.clone() for buffer in model.buffers()] if views == 'train' else []
    model.train(views == 'train')
    function, rows, index = output_function(model, output), [], []
    device = next(model.parameters()).device
    for data in loader:
        batch: Batch = next(iter(model.data_preprocessor(data, views == 'train')['data_samples'].values()))
        with autocast(device_type=device.type, dtype=dtype, enabled=dtype is not None):
            out = [function(view).float() for view in batch.views]
        rows.append(torch.stack(out, 1) if views == 'train' else out[0])
        index.append(batch.index)
    for buffer, value in zip(model.buffers(), kept):
        buffer.copy_(value)
    model.train(training)
    return _collect(rows, index, num_samples, device)


def _collect(rows: list[Tensor], index: list[Tensor], num_samples: int, device: torch.device) -> Tensor:
    """Put the rows of all ranks in the order of their index; ranks may hold different numbers of rows."""
    local = torch.cat(rows) if rows else torch.empty(0, device=device)
    local_index = torch.cat(index) if index else torch.empty(0, dtype=torch.long, device=device)
    if get_world_size() > 1:
        local, local_index = _gather_ragged(local, local_index, device)
    if len(local_index) != num_samples:
        raise RuntimeError(f'the sweep returned {len(local_index)} rows of {num_samples}; is the sampler a '
                           f'SweepSampler over the whole data set?')
    features = torch.empty_like(local)
    features[local_index] = local
    return features


def _gather_ragged(local: Tensor, index: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    """Gather (n_r, ...) rows of all ranks, padded to the longest for the transfer."""
    shapes: list = [None] * get_world_size()
    dist.all_gather_object(shapes, tuple(local.shape))
    most = max(shape[0] for shape in shapes)
    width = next(shape[1:] for shape in shapes if shape[0])
    padded = torch.zeros((most, *width), device=device)
    padded_index = torch.zeros(most, dtype=torch.long, device=device)
    if len(local):
        padded[:len(local)] = local
        padded_index[:len(local)] = index
    parts = [torch.empty_like(padded) for _ in shapes]
    parts_index = [torch.empty_like(padded_index) for _ in shapes]
    dist.all_gather(parts, padded)
    dist.all_gather(parts_index, padded_index)
    return (torch.cat([part[:shape[0]] for part, shape in zip(parts, shapes)]),
            torch.cat([part[:shape[0]] for part, shape in zip(parts_index, shapes)]))
