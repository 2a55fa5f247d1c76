"""Count how often a training step waits for the device: python tools/benchmarks/host_sync.py [CONFIG ...] [--steps 12].

A step is what the Runner does with a batch: hooks, views, forward, backward, optimiser. On CPU the operators that read
values or make a shape depend on them are counted; on CUDA also torch's own synchronisation warnings.
"""
from __future__ import annotations

import argparse
import os
import sys
import tempfile
import warnings
from collections import Counter
from numbers import Number
from typing import Any, Callable

import torch
from mmengine.config import Config
from mmengine.runner import Runner
from torch.nn.functional import one_hot
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from mmcluster.engine.launch import init_environment, prepare, without_pretrained
from mmcluster.recipes.binding import bind_data
from mmcluster.recipes.recipe import build_runner, close
from mmcluster.recipes.stages import read_stage

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STAGES = ('propos_cnn_digits.py', 'propos_clusmatch_cnn_digits.py:clusmatch', 'moco_cnn_digits.py',
          'spice_cnn_digits.py:spice_self', 'fixmatch_cnn_digits_40.py', 'asd_ps_freematch_cnn_digits.py')
OPERATORS = {f'aten::{name}' for name in (
    '_local_scalar_dense', 'is_nonzero', 'equal', 'allclose', 'nonzero', 'masked_select', '_unique2', 'unique_dim',
    'unique_consecutive', 'bincount', 'repeat_interleave', '_linalg_check_errors')}
ON_HOST = {'_get_value': 'torch.optim.optimizer'}  # reads an optimiser's step counter, which stays on the host
METHODS = {getattr(torch.Tensor, name): name for name in ('tolist', 'numpy', 'cpu', '__array__')}


class _Operators(TorchDispatchMode):
    """Counts operators that wait for the device."""

    def __init__(self, counts: Counter):
        super().__init__()
        self.counts = counts

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count and run an operator."""
        name = func.name().split('.')[0]
        if name in ('aten::index', 'aten::index_put', 'aten::index_put_') and _masks(args[1]):
            self.counts[f'{name} by a mask'] += 1
        elif name in OPERATORS and not (name == 'aten::repeat_interleave' and (kwargs or {}).get('output_size')) \
                and not _reads_the_host():
            self.counts[name] += 1
        return func(*args, **(kwargs or {}))


def _reads_the_host() -> bool:
    """Whether the operator was called by a function that reads a tensor of the host on every device."""
    frame = sys._getframe(2)
    while frame is not None:
        if ON_HOST.get(frame.f_code.co_name) == frame.f_globals.get('__name__'):
            return True
        frame = frame.f_back
    return False


class _Methods(TorchFunctionMode):
    """Counts methods that copy a tensor to the host, which are no operators for tensors of the host.

    What waits on the CPU alone does not count: ``one_hot`` with a given number of classes checks its input there, and
    writing one Python number by one mask fills in place, through whichever operators this torch takes to get there.
    """

    def __init__(self, counts: Counter):
        super().__init__()
        self.counts = counts

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count and call a function."""
        if func in METHODS:
            self.counts[f'Tensor.{METHODS[func]}'] += 1
        before = dict(self.counts)
        result = func(*args, **(kwargs or {}))
        if (func is one_hot and (args[1:] or (kwargs or {}).get('num_classes', -1) != -1)) \
                or (func is torch.Tensor.__setitem__ and isinstance(args[2], Number) and len(_masks(args[1])) == 1):
            self.counts.clear()
            self.counts.update(before)
        return result


def _masks(indices: Any) -> list[torch.Tensor]:
    """The masks among the indices of a tensor."""
    indices = indices if isinstance(indices, (tuple, list)) else (indices,)
    return [index for index in indices if torch.is_tensor(index) and index.dtype in (torch.bool, torch.uint8)]


def count_host_syncs(function: Callable[[], Any]) -> Counter:
    """Call a function and count what makes the host wait for the device.

    Args:
        function: Called once, without arguments.

    Returns:
        name -> count. On CPU every tensor counts as one of the device; on CUDA ``'cuda'`` counts the warnings of
        ``torch.cuda.set_sync_debug_mode``, which sees copies of pageable memory too.
    """
    counts: Counter = Counter()
    debug = torch.cuda.is_available()
    before = torch.cuda.get_sync_debug_mode() if debug else 0
    with warnings.catch_warnings(record=True) as caught, _Methods(counts), _Operators(counts):
        warnings.simplefilter('always')
        try:
            if debug:
                torch.cuda.set_sync_debug_mode('warn')
            function()
        finally:
            if debug:
                torch.cuda.set_sync_debug_mode(before)
    for warning in caught:
        if 'synchroniz' in str(warning.message):
            counts['cuda'] += 1
    return counts


def short_runner(path: str, work_dir: str, steps: int, options: dict | None = None,
                 edit: Callable[[Config], None] = lambda cfg: None) -> Runner:
    """The Runner of a config with all its hooks, cut to one epoch of ``steps`` that logs once, in its middle.

    Args:
        path: Config of one stage, or ``recipe.py:stage``; ``Pretrained`` is dropped from its model.
        work_dir: Where the log goes.
        steps: Iterations.
        options: Further settings, dotted name -> value.
        edit: Changes the config before.
    """
    file, _, stage = path.partition('.py:')
    cfg = read_stage(f'{file.removesuffix(".py")}.py', stage or None)
    cfg.merge_from_dict({'train_cfg.max_epochs': 1, 'train_cfg.val_interval': 10, 'log_level': 'WARNING',
                         'default_hooks.logger.interval': max(2, steps // 2), 'train_dataloader.sampler.length': steps,
                         **(options or {})})
    edit(cfg)
    cfg.default_hooks.pop('result', None)
    cfg.work_dir = work_dir
    cfg.model = without_pretrained(cfg.model)
    bind_data(cfg)
    return build_runner(prepare(cfg))


def count_steps(runner: Runner) -> tuple[list[Counter], list[Counter]]:
    """Train and count at every step.

    Args:
        runner: Not yet trained.

    Returns:
        Counts of the steps off the log interval, and of those that log or end an epoch.
    """
    off: list[Counter] = []
    on: list[Counter] = []
    loop = runner.train_loop
    run_iter, interval = loop.run_iter, runner.cfg.default_hooks.logger.interval

    def counted(idx: int, data: Any) -> None:
        logs = (idx + 1) % interval == 0 or idx + 1 == len(loop.dataloader)
        (on if logs else off).append(count_host_syncs(lambda: run_iter(idx, data)))

    loop.run_iter = counted
    runner.train()
    close(runner)
    return off, on


def main() -> None:
    """Count and print; the exit status is 1 if a step off the log interval waits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('configs', nargs='*', default=[os.path.join(ROOT, 'configs', name) for name in STAGES])
    parser.add_argument('--steps', type=int, default=12)
    args = parser.parse_args()
    init_environment()
    waits = False
    for path in args.configs:
        with tempfile.TemporaryDirectory() as work_dir:
            off, on = count_steps(short_runner(path, work_dir, args.steps))
        total = sum(off, Counter())
        waits |= bool(total)
        print(f'{os.path.basename(path)}: {sum(total.values()) / len(off):.2f} waits a step off the log interval '
              f'({len(off)} steps) {dict(total)}; {dict(sum(on, Counter()))} in {len(on)} logging steps')
    raise SystemExit(int(waits))


if __name__ == '__main__':
    main()
