"""Time a training step in bfloat16 and channels-last against float32 and contiguous, in turn in one process.

python tools/benchmarks/train_step.py [CONFIG] [--stage NAME] [--what amp] [--batch 64] [--steps 3] [--threads 2]
    [--repeats 5] [--views]
python tools/benchmarks/train_step.py --what loop      # ProPos in float32 against a plain loop; loop_amp: in bfloat16

A step is preprocessor, forward, backward, optimiser and teacher. The images are noise; without --views they come as
finished views, which are only normalised. The target on CPUs with bfloat16 units is 1.8 times as fast. With --what
compile or fused, both steps are in bfloat16, and one of them has its networks compiled or a fused optimiser. With
--what loop or loop_amp, the slow step is `plain_propos.py` in float32.
"""
from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from typing import Callable

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmengine.runner import set_random_seed
from plain_propos import PlainProPos

from mmcluster.engine.compiled import compile_networks
from mmcluster.recipes.stages import read_stage
from mmcluster.registry import MODELS, OPTIM_WRAPPERS, OPTIMIZERS
from mmcluster.structures import Rows

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGET = 1.8
# what is compared -> name of the slow and of the fast step
SIDES = dict(amp=('float32 contiguous', 'bfloat16 channels-last'), compile=('eager', 'compiled'),
             fused=('loop over tensors', 'fused optimiser'), loop=('plain loop', 'mmcluster in float32'),
             loop_amp=('plain loop in float32', 'mmcluster in bfloat16'))


def cpu_name() -> str:
    """Model name of the processor, with its bfloat16 units."""
    if not os.path.exists('/proc/cpuinfo'):
        return platform.processor() or platform.machine()
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        lines = dict(line.split(':', 1) for line in file if ':' in line)
    fields = {key.strip(): value.strip() for key, value in lines.items()}
    units = [unit for unit in ('avx512_bf16', 'amx_bf16') if unit in fields.get('flags', '').split()]
    return f'{fields.get("model name", platform.machine())} ({", ".join(units) or "no bfloat16 units"})'


def make_data(batch: int, views: bool) -> dict[str, Rows]:
    """One item of a loader: noise images of 32 x 32 pixels.

    Args:
        batch: B.
        views: uint8 (B, 32, 32, 3) of which the preprocessor makes the views; else two finished views (B, 3, 32, 32).
    """
    index = torch.arange(batch)
    if views:
        images = [torch.randint(256, (batch, 32, 32, 3), dtype=torch.uint8)]
    else:
        images = [torch.randint(256, (batch, 3, 32, 32), dtype=torch.uint8) for _ in range(2)]
    return dict(batch=Rows(images, index, index.clone()))


def make_step(cfg: Config, batch: int, views: bool, what: str, fast: bool) -> Callable[[], None]:
    """A training step of a config's model.

    Args:
        cfg: Config of a method that trains on the stream ``batch``.
        batch: B, also the size of the data set.
        views: See :func:`make_data`.
        what: One of :data:`SIDES`.
        fast: With it, or without it.
    """
    bfloat16 = what != 'loop' and (fast or what != 'amp')
    set_random_seed(0)
    if what.startswith('loop') and not fast:
        plain, images = PlainProPos(), make_data(batch, views=False)['batch'].images
        return lambda: plain.step(images, torch.arange(batch) % 10)
    bank = cfg.model.get('bank') and dict(cfg.model.bank, num_samples=batch)
    model = MODELS.build(dict(cfg.model, bank=bank, channels_last=bfloat16))
    model.init_weights()
    if bank:
        model.bank.fill(label=torch.arange(batch) % 10)
    if fast and what == 'compile':
        compile_networks(model)
    fused = dict(fused=True) if fast and what == 'fused' else {}
    # rates of parts of the network are left out, as they cost nothing
    optimizer = OPTIMIZERS.build(dict(cfg.optim_wrapper.optimizer, params=model.parameters(), **fused))
    wrapper = OPTIM_WRAPPERS.build(dict(type='AutocastOptimWrapper', dtype='bfloat16' if bfloat16 else None,
                                        optimizer=optimizer))
    data = make_data(batch, views)
    model.train()
    by_hook = any(hook['type'] == 'TeacherHook' for hook in cfg.get('custom_hooks', ()))    # else by the step itself

    def step() -> None:
        model.train_step(data, wrapper)
        if by_hook:
            model.teacher.update(model)

    return step


def seconds(step: Callable[[], None], steps: int) -> tuple[float, float]:
    """Mean wall-clock and processor seconds of a few steps."""
    start, cpu = time.perf_counter(), time.process_time()
    for _ in range(steps):
        step()
    return (time.perf_counter() - start) / steps, (time.process_time() - cpu) / steps


def main() -> None:
    """Measure in turn and print the ratios. With one thread, processor time is fair on a machine in use."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('config', nargs='?', default=os.path.join(ROOT, 'configs', 'propos_r18_cifar10.py'))
    parser.add_argument('--stage', help='of a recipe of several')
    parser.add_argument('--what', choices=list(SIDES), default='amp')
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument('--steps', type=int, default=3)
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--views', action='store_true', help='make the views inside the step')
    args = parser.parse_args()
    if args.what.startswith('loop') and (args.views or args.stage or args.config != parser.get_default('config')):
        parser.error('the plain loop is that of propos_r18_cifar10.py on finished views: leave CONFIG, --stage and '
                     '--views out')
    init_default_scope('mmcluster')
    MMLogger.get_instance('train_step', log_level='WARNING')
    torch.set_num_threads(args.threads)
    cfg = read_stage(args.config, args.stage)
    runs = {name: make_step(cfg, args.batch, args.views, args.what, name == 'fast') for name in ('plain', 'fast')}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for step in runs.values():
        seconds(step, 2)
    for _ in range(args.repeats):
        for name, step in runs.items():
            times[name].append(seconds(step, args.steps))
    print(f'{cpu_name()}, {args.threads} threads; torch {torch.__version__}, Python {platform.python_version()}')
    print(f'{os.path.basename(args.config)}, B = {args.batch}, {args.repeats} x {args.steps} steps, '
          f'{"with" if args.views else "without"} making views')
    for clock, title in enumerate(('wall clock', 'processor time')):
        plain, fast = ([1e3 * pair[clock] for pair in times[name]] for name in ('plain', 'fast'))
        middle = [statistics.median(plain), statistics.median(fast)]
        slow, quick = SIDES[args.what]
        target = f' (target {TARGET})' if args.what == 'amp' else ''
        print(f'{title:15} median ms a step: {slow} {middle[0]:.0f}, {quick} {middle[1]:.0f}, ratio '
              f'{middle[0] / middle[1]:.2f}{target}, of the fastest {min(plain) / min(fast):.2f}')


if __name__ == '__main__':
    main()
