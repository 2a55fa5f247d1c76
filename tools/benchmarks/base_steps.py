"""Processor time of a training step of every base against ProPos': python tools/benchmarks/base_steps.py [--rounds 5].

Networks and batches are those of the recipes on digits, one thread. A step is what the Runner does with a batch: hooks,
views, forward, backward, optimiser; each method is in its last phase, E-steps are not timed. The bases take turns, and
a ratio is the median over rounds of what the two took in one round.
"""
from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from typing import Any

import torch
from host_sync import ROOT, short_runner
from mmengine.config import Config

from mmcluster.engine.launch import init_environment
from mmcluster.recipes.recipe import close

BASES = ('propos', 'cc', 'cc_psl', 'gcc', 'secu', 'tcl', 'idfd', 'simsiam', 'byol', 'byol_cc', 'pcl', 'byol_pcl',
         'moco', 'simclr')
OTHERS = dict(
    pici='pici_vit_digits.py', moco_symmetric='moco_cnn_digits_symmetric.py', autoencoder='dec_digits.py:autoencoder',
    dec='dec_digits.py:dec', idec='idec_digits.py:idec', temi='temi_raw_digits.py', turtle='turtle_raw_digits.py')
EPOCHS = 2      # the second is counted: a graph needs the features of the first


def last_phase(cfg: Config) -> None:
    """Let schedules, E-steps and streams begin with what they are at the end."""
    cfg.train_cfg.max_epochs = EPOCHS
    cfg.custom_hooks = [hook for hook in cfg.get('custom_hooks', ()) if hook.type != 'BestHeadHook']    # after the last
    for hook in cfg.custom_hooks:
        if hook.type == 'ScheduleHook' and 'steps' in hook:
            hook.steps = [(0, hook.steps[-1][1])]
        if 'begin' in hook:
            hook.begin = EPOCHS - 1 if hook.type == 'GraphHook' else 0
        if 'tol' in hook:
            hook.tol = 0.       # labels of so few steps need not move
    for stream in cfg.train_dataloader.sampler.streams.values():
        if 'begin' in stream:
            stream.begin = EPOCHS - 1


def step_time(name: str, steps: int) -> float:
    """Median milliseconds of processor time of a step.

    Args:
        name: Of a config, or ``recipe.py:stage``.
        steps: That are counted.
    """
    with tempfile.TemporaryDirectory() as work_dir:
        runner = short_runner(os.path.join(ROOT, 'configs', name), work_dir, steps, edit=last_phase)
        loop, taken = runner.train_loop, []
        run_iter = loop.run_iter

        def timed(idx: int, data: Any) -> None:
            start = time.process_time()
            run_iter(idx, data)
            taken.append(1e3 * (time.process_time() - start))

        loop.run_iter = timed
        runner.train()
        close(runner)
    return statistics.median(taken[steps:])


def main() -> None:
    """Measure in turn and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--steps', type=int, default=10)
    parser.add_argument('--bases', nargs='+', metavar='NAME', help='some of them, beside ProPos')
    args = parser.parse_args()
    init_environment()
    torch.set_num_threads(1)
    known = {**{name: f'{name}_cnn_digits.py' for name in BASES}, **OTHERS}
    names = list(dict.fromkeys(['propos', *(args.bases or known)]))
    found: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(args.rounds):
        for name in names:
            found[name].append(step_time(known[name], args.steps))
    print(f'| base | ms a step | against ProPos, median of {args.rounds} rounds | least | most |')
    print('|---|---|---|---|---|')
    for name, each in found.items():
        ratios = [one / base for one, base in zip(each, found['propos'])]
        print(f'| {name} | {statistics.median(each):.1f} | {statistics.median(ratios):.2f} | {min(ratios):.2f} | '
              f'{max(ratios):.2f} |')


if __name__ == '__main__':
    main()
