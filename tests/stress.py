"""Try the project's promises at random, as often as there is time: python tests/stress.py --kills 50.

Without options each promise is tried a few times. The exit status is 1 if one is broken.
"""
from __future__ import annotations

import argparse
import importlib
import multiprocessing
import os
import pickle
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
import torch.multiprocessing as mp

sys.path.insert(0, str(Path(__file__).parent / 'helpers'))
from ddp_pool import JOBS, attempt, work
from reduced import clusmatch_cfg, differences, load, propos_cfg, train, write_base, write_digits, write_recipe

from mmcluster.compat import load_checkpoint_file

MODULES = ('ddp_steps', 'ddp_jobs')   # jobs for groups of processes
GROUPS = (2, 3, 6)                    # numbers of processes that divide the rows of all jobs
PARTS = ('state_dict', 'optimizer', 'param_schedulers')


def stages(data: dict[str, str], epochs: int = 3) -> dict[str, Any]:
    """ProPos, and ClusMatch on it, as small as the tests have them."""
    return dict(propos=propos_cfg('', data, epochs=epochs, warmup=1), clusmatch=clusmatch_cfg('', data, epochs=epochs))


def outcome(folder: Path) -> dict[str, Any]:
    """What the last checkpoint of each stage in a folder holds."""
    found = {name: load(str(max((folder / 'work' / name).glob('epoch_*.pth')))) for name in ('propos', 'clusmatch')}
    return {name: {part: form[part] for part in PARTS} for name, form in found.items()}


# ---- kills

def _train(folder: Path, data: dict[str, str]) -> None:
    """Begin or go on with a recipe, as a process that may be killed; its output goes to a file."""
    log = os.open(folder / 'output.txt', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    train(write_recipe(folder, stages(data)), resume='auto')


def _attempt(folder: Path, data: dict[str, str], limit: float | None = None) -> bool:
    """Train in a process of its own, which gets SIGKILL after ``limit`` seconds; whether it ended before.

    Raises:
        RuntimeError: If it failed by itself.
    """
    folder.mkdir(exist_ok=True)
    process = multiprocessing.get_context('fork').Process(target=_train, args=(folder, data))
    process.start()
    process.join(limit)
    if process.exitcode is None:
        process.kill()
        process.join()
        return False
    if process.exitcode:
        raise RuntimeError(f'training stopped by itself:\n{(folder / "output.txt").read_text()[-2000:]}')
    return True


def kills(count: int, folder: Path) -> list[str]:
    """Kill a training ``count`` times at any moment, go on, and compare it with one that was let alone."""
    data, start = write_digits(folder), time.monotonic()
    _attempt(folder / 'whole', data)
    seconds, whole = time.monotonic() - start, outcome(folder / 'whole')
    done, runs, problems = 0, 0, []
    while done < count or runs == 0:
        parts = folder / f'parts{runs}'
        while not _attempt(parts, data, random.uniform(0, seconds) if done < count else None):
            done += 1
        problems += [f'run {runs} after {done} kills: {name}' for name in differences(whole, outcome(parts))]
        runs += 1
    print(f'kills: {done} in {runs} runs, {len(problems)} differences')
    return problems


# ---- labels

def permutations(count: int, folder: Path) -> list[str]:
    """Permute the labels ``count`` times, which must not change what is trained."""
    problems, original = [], None
    for i in range(count + 1):
        data = write_digits(folder / str(i), permute=random.randrange(1 << 30) if i else None)
        train(write_recipe(folder / str(i), stages(data, epochs=2)))
        found = outcome(folder / str(i))
        original = original or found
        problems += [f'permutation {i}: {name}' for name in differences(original, found)]
    print(f'permutations: {count}, {len(problems)} differences')
    return problems


# ---- processes

def _far(first: Any, second: Any) -> list[str]:
    """Names of tensors that differ by more than rounding between two dictionaries."""
    return [name for name in {**first, **second} if name not in first or name not in second
            or not torch.allclose(first[name].double(), second[name].double(), rtol=2e-4, atol=2e-6)]


def _step(whole: Any, parts: list[Any]) -> list[str]:
    """Losses of the whole batch are the mean of those of its parts, gradients and buffers are the same."""
    losses = [{name: value for name, value in step['losses'].items() if name != 'feat_std'} for step in (whole, *parts)]
    mean = {name: sum(found[name] for found in losses[1:]) / len(parts) for name in losses[1]}
    return _far(losses[0], mean) + [name for part in parts for kind in ('gradients', 'buffers')
                                    for name in _far(whole[kind], part[kind])]


def _views(whole: Any, parts: list[Any]) -> list[str]:
    return [f'{door} with {workers} workers' for door, workers in whole
            if {key: view for part in parts for key, view in part[door, workers].items()} != whole[door, 0]]


def _metrics(whole: Any, parts: list[Any]) -> list[str]:
    return [source for source in whole for part in parts if part[source][0] != whole[source][0]]


def ranks(count: int, folder: Path) -> list[str]:
    """Compare losses, gradients, buffers, views and metrics of ``count`` processes with those of one."""
    if count not in GROUPS:
        raise ValueError(f'--ranks {count}: rows of the jobs can be shared by {GROUPS} processes')
    for name in MODULES:
        importlib.import_module(name)
    write_base(folder / 'base.pth', write_digits(folder))
    mp.spawn(work, (count, folder, MODULES), nprocs=count)
    compared = {name: _step for name in JOBS if name.startswith('step_')}
    compared.update(views_of_both_doors=_views, metrics=_metrics)
    problems = []
    for name, compare in compared.items():
        found = [pickle.loads((folder / f'{name}_{rank}.pkl').read_bytes()) for rank in range(count)]
        found.insert(0, attempt(JOBS[name], folder))
        texts = [text for well, text in found if not well]
        problems += [f'{name}: {text}' for text in texts or compare(found[0][1], [value for _, value in found[1:]])]
    print(f'ranks: {count} processes against one in {len(compared)} jobs, {len(problems)} differences')
    return problems


# ---- files

def flips(count: int, folder: Path) -> list[str]:
    """Flip a random bit of a checkpoint ``count`` times: it is refused, or read as it was."""
    path = train(propos_cfg(folder / 'work', write_digits(folder), epochs=1, warmup=0))['train']
    content, original, flipped = Path(path).read_bytes(), load_checkpoint_file(path), folder / 'flipped.pth'
    refused, problems = 0, []
    for _ in range(count):
        bit = random.randrange(8 * len(content))
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        flipped.write_bytes(damaged)
        try:
            problems += [f'bit {bit}: {name}' for name in differences(original, load_checkpoint_file(str(flipped)))[:1]]
        except (RuntimeError, pickle.UnpicklingError):
            refused += 1
    print(f'flips: {refused} refused, {count - refused - len(problems)} identical, {len(problems)} silently different')
    return problems


TRIALS = dict(kills=kills, permutations=permutations, ranks=ranks, flips=flips)
FEW = dict(kills=3, permutations=1, ranks=2, flips=20)


def main(arguments: list[str] | None = None) -> int:
    """Run the trials that are asked for; the number of problems."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, trial in TRIALS.items():
        parser.add_argument(f'--{name}', type=int, metavar='N', help=trial.__doc__.replace('``count``', 'N'))
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args(arguments)
    random.seed(args.seed)
    torch.set_num_threads(1)
    asked = {name: vars(args)[name] for name in TRIALS if vars(args)[name]} or FEW
    problems = []
    for name, count in asked.items():
        with tempfile.TemporaryDirectory(prefix='mmcluster_stress_') as folder:
            problems += TRIALS[name](count, Path(folder))
    print('\n'.join(problems))
    return len(problems)


if __name__ == '__main__':
    sys.exit(bool(main()))
