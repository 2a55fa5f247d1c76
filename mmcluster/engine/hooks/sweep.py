"""What hooks share that pass once over the training set and write what they find to the bank."""
from __future__ import annotations

from typing import Any, Callable, Optional

import torch
from mmengine.dist import broadcast
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import Dataset

from mmcluster.checks import require_choice, require_count
from mmcluster.functional.shards import WHOLE, Shards
from mmcluster.models.bank import cuts
from mmcluster.models.base_parts import build_base, load_base
from mmcluster.models.clusterers import BaseClusterer
from mmcluster.models.shards import process_shards
from mmcluster.registry import MODELS
from mmcluster.structures import TEST_STREAM
from mmcluster.utils import on_main_process

from ..extract import extract_share, output_function, step_dtype, sweep_loader, unwrap
from ..finite import check_features
from ..shared_sweep import SharedSweepLoop


class SweepHook(Hook):
    """Extracts features of the whole training set.

    Args:
        output: What is extracted, see ``mmcluster.engine.extract.output_function``.
        views: ``'test'`` or ``'train'``.
        stream: Training stream whose views are used with ``views='train'``.
        network: ``None``: the model in training. Else the config of an older network with
            ``init_cfg=dict(type='Pretrained', ...)`` and a preprocessor of its own; it is built only when needed.
            What its bank holds is not read, so that it may come from another data set.
        batch_size: Rows a batch of the sweep.
        num_workers: Worker processes of the sweep.
    """

    def __init__(self, output: str = 'embed', views: str = 'test', stream: str = 'batch',
                 network: Optional[dict] = None, batch_size: int = 512, num_workers: int = 0):
        require_count(type(self).__name__, batch_size=batch_size)
        require_count(type(self).__name__, least=0, num_workers=num_workers)
        require_choice(type(self).__name__, ('test', 'train'), views=views)
        self.output = output
        self.views = views
        self.stream = TEST_STREAM if views == 'test' else stream
        self.network = network
        self.batch_size = batch_size
        self.num_workers = num_workers

    def features(self, runner: Runner) -> Tensor:
        """Sweep the training set; all ranks call it together.

        Args:
            runner: The Runner.

        Returns:
            (n, ...) float32, this rank's share of the rows. :func:`all_rows` makes them whole.

        Raises:
            FloatingPointError: If a feature is not finite.
        """
        dataset = runner.train_dataloader.dataset
        model = unwrap(runner.model) if self.network is None else self._older_network(self.network, runner)
        features = self._just_evaluated(runner, dataset)
        if features is None:
            loader = sweep_loader(dataset, self.batch_size, self.num_workers, self.stream, runner.seed or 0,
                                  runner.epoch)
            features = extract_share(model, loader, len(dataset), self.output, self.views, step_dtype(runner))
        check_features(features, model, getattr(dataset, 'paths', None), type(self).__name__, runner.epoch)
        return features

    def check_output(self, model: BaseClusterer) -> None:
        """Refuse an output that the network which is swept does not have; a rehearsal asks for it.

        Args:
            model: The one that trains; an older network is built without its weights.

        Raises:
            ValueError: If it has no such output.
        """
        output_function(model if self.network is None else build_base(self.network), self.output)

    def sees_what_evaluation_sees(self) -> bool:
        """Whether a sweep embeds evaluation views by the model in training, as an evaluation does."""
        return self.network is None and self.output == 'embed' and self.views == 'test'

    def _just_evaluated(self, runner: Runner, dataset: Dataset) -> Optional[Tensor]:
        """What an evaluation of the same weights embedded, ``None`` where there was none."""
        loop = runner._val_loop         # the property would build one
        if not self.sees_what_evaluation_sees() or not isinstance(loop, SharedSweepLoop):
            return None
        return loop.take(dataset, self.batch_size)

    @staticmethod
    def _older_network(network: dict, runner: Runner) -> nn.Module:
        model = load_base(network)
        if network.get('data_preprocessor'):
            model.data_preprocessor = MODELS.build(network['data_preprocessor'])
        return model.to(next(runner.model.parameters()).device)


def all_rows(share: Tensor) -> Tensor:
    """Rows (N, ...) of all ranks from each one's share (n, ...), for what cannot be computed from shares."""
    return process_shards().gather(share)


def write_estimate(targets: dict[str, Tensor], estimate: Callable[..., dict[str, Tensor]], *args: Any) -> None:
    """Estimate on rank 0, broadcast, fill fields of the bank and other buffers in place.

    Args:
        targets: Name -> field or buffer that is written.
        estimate: (*args) -> name -> value of the shape of its target.
        args: Of ``estimate``.
    """
    who = type(getattr(estimate, '__self__', estimate)).__name__

    def estimated() -> dict[str, Tensor]:
        """The values, once they are found to fit."""
        shapes = {name: tuple(target.shape) for name, target in targets.items()}
        return whole_numbers(who, targets, fitting(who, shapes, estimate(*args), False))

    values = on_main_process(estimated) or {}
    for name, target in targets.items():
        value = values.get(name, target).to(target).contiguous().clone()
        broadcast(value)
        target.copy_(value)


def write_share(fields: dict[str, Tensor], values: dict[str, Tensor]) -> None:
    """Fill fields of the bank in place from each rank's rows.

    Args:
        fields: Name -> field (N, ...).
        values: Name -> (n, ...), the share of this rank.
    """
    for name, field in fields.items():
        field.copy_(all_rows(values[name].to(field)))


def whole_numbers(who: str, targets: dict[str, Tensor], values: dict[str, Tensor],
                  shards: Shards = WHOLE) -> dict[str, Tensor]:
    """Values of an E-step, once no fraction among them would be cut to a whole number.

    Args:
        who: Name of the hook.
        targets: Name -> field or buffer that is written.
        values: Name -> value.
        shards: Who holds the rows; all of them raise.

    Raises:
        ValueError: If one is.
    """
    for name in sorted(targets.keys() & values):        # in one order everywhere
        if shards.sum(torch.tensor(int(cuts(values[name], targets[name])))):
            raise ValueError(f'{who}.estimate: {name!r} holds whole numbers, {targets[name].dtype}, and would cut '
                             f'fractions; round them, or give the field another dtype')
    return values


def fitting(who: str, shapes: dict[str, tuple[int, ...]], values: Any, whole: bool = True) -> dict[str, Tensor]:
    """What an E-step estimated, once it is found to fit: a value of another shape would be spread over all rows.

    Args:
        who: Name of the hook.
        shapes: Name of a field or buffer -> its shape.
        values: What ``estimate`` returned.
        whole: Every name must be there; else what is left out stays as it is.

    Raises:
        ValueError: If it is no dict of tensors of these shapes, or has none of the names.
    """
    wanted = f'{who}.estimate must return a dict with tensors {shapes}'
    if not isinstance(values, dict):
        raise ValueError(f'{wanted}, got a {type(values).__name__}')
    if shapes and not shapes.keys() & values:
        raise ValueError(f'{wanted}, got {list(values)}')
    for name in shapes if whole else shapes.keys() & values:
        value, shape = values.get(name), shapes[name]
        if not isinstance(value, Tensor) or tuple(value.shape) != shape:
            got = tuple(value.shape) if isinstance(value, Tensor) else 'no such entry' if value is None else value
            raise ValueError(f'{wanted}, got of {name!r}: {got}')
    return values
