"""One sweep over a data set in evaluation mode: features keyed by the data set index."""
from __future__ import annotations

from typing import Any, Callable, Optional, Sized

import torch
import torch.distributed as dist
from mmengine.dist import get_world_size
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmengine.runner.amp import autocast
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mmcluster.datasets import SweepSampler, identity
from mmcluster.models.clusterers import BaseClusterer
from mmcluster.structures import TEST_STREAM, Batch

OUTPUTS = ('embed', 'logits', 'head_probs', 'embed+head_probs')


def unwrap(model: nn.Module) -> Any:
    """The model inside a data-parallel wrapper, or the model itself; who asks declares what it is."""
    return model.module if is_model_wrapper(model) else model


def step_dtype(runner: Runner) -> Optional[torch.dtype]:
    """Autocast type of the training step, in which sweeps are made, too; ``None``: float32."""
    return getattr(runner.optim_wrapper, 'cast_dtype', None)


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
    assert isinstance(dataset, Sized)
    sampler = SweepSampler(dataset, batch_size, stream=stream, seed=seed)
    sampler.set_epoch(epoch)
    return DataLoader(dataset, batch_size=None, sampler=sampler, num_workers=num_workers, collate_fn=identity)


def output_function(model: BaseClusterer, output: str) -> Callable[[Tensor], Tensor]:
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
        return lambda x: _probabilities(model.logits(x))
    if output == 'embed+head_probs':
        return lambda x: _side_by_side(*model.outputs(x))
    if callable(getattr(model, output, None)):
        return getattr(model, output)
    raise ValueError(f'{type(model).__name__} has no output {output!r}; known are {OUTPUTS} and its own methods')


def _probabilities(logits: Optional[Tensor]) -> Tensor:
    """Probabilities (B, K) of a model that has a head."""
    assert logits is not None
    return logits.float().softmax(1)


def _side_by_side(embed: Tensor, logits: Optional[Tensor]) -> Tensor:
    """Embedding (B, D) and probabilities (B, K) as one row (B, D + K)."""
    return torch.cat([embed.float(), _probabilities(logits)], 1)


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
    network: BaseClusterer = unwrap(model)
    training, kept = network.training, [buffer.clone() for buffer in network.buffers()] if views == 'train' else []
    network.train(views == 'train')
    function, features, index = output_function(network, output), None, []
    device = next(network.parameters()).device
    for data in loader:
        batch: Batch = next(iter(network.data_preprocessor(data, views == 'train')['data_samples'].values()))
        with autocast(device_type=device.type, dtype=dtype, enabled=dtype is not None):
            out = [function(view).float() for view in batch.views]
        rows = torch.stack(out, 1) if views == 'train' else out[0]
        features = rows.new_zeros(num_samples, *rows.shape[1:]) if features is None else features
        features.index_copy_(0, batch.index.clamp(max=num_samples - 1), rows)
        index.append(batch.index)
    for buffer, value in zip(network.buffers(), kept):
        buffer.copy_(value)
    network.train(training)
    return whole_set(features, index, num_samples, device)


def whole_set(features: Optional[Tensor], index: list[Tensor], num_samples: int, device: torch.device) -> Tensor:
    """Add up what the ranks filled in, (N, ...) with zeros in the rows of others; a rank may have no row at all.

    Raises:
        RuntimeError: If not every row came once.
    """
    shapes: list = [None if features is None else tuple(features.shape)]
    seen = torch.zeros(num_samples + 1, dtype=torch.long, device=device)            # the last place is for strangers
    for rows in index:
        rows = rows.clamp(max=num_samples)
        seen.index_add_(0, rows, torch.ones_like(rows))
    if get_world_size() > 1:
        shapes = [None] * get_world_size()
        dist.all_gather_object(shapes, None if features is None else tuple(features.shape))
        dist.all_reduce(seen)
    if not bool((seen[:-1] == 1).all() & (seen[-1] == 0)):
        raise RuntimeError(f'the sweep returned {int(seen.sum())} rows of {num_samples}, {int((seen[:-1] == 0).sum())} '
                           f'of them are missing; is the sampler a SweepSampler over the whole data set?')
    if features is None:
        features = torch.zeros(next(filter(None, shapes), (0,)), device=device)
    if get_world_size() > 1:
        dist.all_reduce(features)
    return features
