"""One sweep over a data set in evaluation mode: features keyed by the data set index."""
from __future__ import annotations

from typing import Any, Callable, Optional, Sized

import torch
from mmengine.dist import all_gather_object
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmengine.runner.amp import autocast
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mmcluster.datasets import SweepSampler, identity
from mmcluster.models.clusterers import BaseClusterer
from mmcluster.models.shards import process_shards
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


def extract(model: nn.Module, loader: DataLoader, num_samples: int, output: str = 'embed', views: str = 'test',
            dtype: Optional[torch.dtype] = None) -> Tensor:
    """Features (N, ...) of all rows, equal on all ranks, see :func:`extract_share`."""
    return process_shards().gather(extract_share(model, loader, num_samples, output, views, dtype))


@torch.no_grad()
def extract_share(model: nn.Module, loader: DataLoader, num_samples: int, output: str = 'embed', views: str = 'test',
                  dtype: Optional[torch.dtype] = None) -> Tensor:
    """Features of this rank's share of the rows, ordered by data set index. All ranks call it together.

    Args:
        model: A clusterer; its training mode and buffers are restored afterwards.
        loader: Made by :func:`sweep_loader`.
        num_samples: N.
        output: See :func:`output_function`.
        views: ``'test'``: evaluation views, evaluation mode. ``'train'``: training views and training mode without
            gradient; buffers such as batch-norm statistics are restored.
        dtype: Autocast type; ``None`` computes in float32.

    Returns:
        (n, D) float32 on the model's device; with training views (n, V, D).
    """
    network: BaseClusterer = unwrap(model)
    training, kept = network.training, [buffer.clone() for buffer in network.buffers()] if views == 'train' else []
    network.train(views == 'train')
    function, device = output_function(network, output), next(network.parameters()).device
    share = Share(num_samples, device)
    for data in loader:
        batch: Batch = next(iter(network.data_preprocessor(data, views == 'train')['data_samples'].values()))
        with autocast(device_type=device.type, dtype=dtype, enabled=dtype is not None):
            out = [function(view).float() for view in batch.views]
        rows = torch.stack(out, 1) if views == 'train' else out[0]
        share.put(batch.index, rows)
    for buffer, value in zip(network.buffers(), kept):
        buffer.copy_(value)
    network.train(training)
    return share.whole()


class Share:
    """Rows of a sweep as they come, each at its place in this rank's share.

    Args:
        num_samples: N.
        device: Where the features are.
    """

    def __init__(self, num_samples: int, device: torch.device):
        self.shards = process_shards()
        self.num_samples = num_samples
        self.own = self.shards.share(num_samples)
        self.seen = torch.zeros(len(self.own) + 1, dtype=torch.long, device=device)     # the last one is for strangers
        self.features: Optional[Tensor] = None

    def put(self, index: Tensor, rows: Tensor) -> None:
        """Take the rows (B, ...) of one batch, by their data set index (B,)."""
        if self.features is None:
            self.features = rows.new_zeros(len(self.seen), *rows.shape[1:])
        place = index - self.own.start
        place = torch.where((place >= 0) & (place < len(self.own)), place, len(self.own))
        self.features.index_copy_(0, place, rows)
        self.seen.index_add_(0, place, torch.ones_like(place))

    def whole(self) -> Tensor:
        """The share (n, ...), after the last batch; all ranks call it together. One without rows is as wide as others.

        Raises:
            RuntimeError: If a row is missing, came twice, or came to another rank than its own.
        """
        seen = self.seen[:-1]
        counts = self.shards.sum(torch.stack([self.seen.sum(), (seen == 0).sum(), (seen > 1).sum(), self.seen[-1]]))
        total, missing, *others = counts.tolist()
        if missing or any(others):
            raise RuntimeError(f'the sweep returned {total} rows of {self.num_samples}, {missing} of them are missing; '
                               f'is the sampler a SweepSampler over the whole data set?')
        shapes = all_gather_object(None if self.features is None else tuple(self.features.shape[1:]))
        if self.features is None:
            return torch.zeros(0, *next(filter(None, shapes), ()), device=seen.device)
        return self.features[:-1]
