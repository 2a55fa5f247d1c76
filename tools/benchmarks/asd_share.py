"""Time what ASD adds to a FixMatch iteration: python tools/benchmarks/asd_share.py [--rounds 2] [--image 32].

Both sides train ResNet-18 with FixMatch on 40 labelled and 448 unlabelled images (finished views of noise, which are
only normalised), with the average of the weights; one has ASD's labels and 40 anchors, the other fixed labels. Whole
steps take turns in one process, forwards and backwards. What ASD adds is also timed by itself, on the tensors of a
step: the reference pass (anchors and labelled rows through the average), and all the rest (transport, instance head
and loss with their backward pass, tracking, labels). Targets: the rest at most 2 %, everything at most 5 % of the
step without ASD. The memory of a step is measured in a process of its own (--only).

On one CPU thread a step of this size takes 15 s and more; --image 16 or fewer --unlabelled rows give a quick look, of
which the shares are not those of the real size.
"""
from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from typing import Any, Callable

import torch
from host_sync import count_host_syncs
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from torch import Tensor, nn
from train_step import cpu_name

from mmcluster.engine.hooks.runtime import host_peak
from mmcluster.engine.hooks.transition import TransitionHook
from mmcluster.functional.labels.transition import cluster_classes
from mmcluster.registry import MODELS, OPTIM_WRAPPERS, OPTIMIZERS
from mmcluster.structures import Rows

REST, WHOLE = 0.02, 0.05
SIDES = ('off', 'on')
CLUSTERS = 10


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--labelled', type=int, default=40, help='n_l, also the number of anchors')
    parser.add_argument('--unlabelled', type=int, default=448)
    parser.add_argument('--image', type=int, default=32, help='pixels')
    parser.add_argument('--interval', type=int, default=1000, help='N_t, iterations that share the cost of a map')
    parser.add_argument('--dtype', choices=['float32', 'bfloat16'], default='float32')
    parser.add_argument('--rounds', type=int, default=2)
    parser.add_argument('--repeats', type=int, default=20, help='times that each part is timed by itself')
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--only', choices=SIDES, help='take one step of this side and print its peak memory')
    return parser.parse_args()


def make_model(args: argparse.Namespace, side: str) -> nn.Module:
    """FixMatch's booster, with ASD's labels or with fixed ones."""
    rows = args.labelled + args.unlabelled
    labeller = dict(type='SelectedLabels') if side == 'off' else dict(
        type='ASDLabels', in_channels=512, num_clusters=CLUSTERS, num_labelled=args.labelled,
        num_unlabelled=args.unlabelled)
    torch.manual_seed(0)
    model = MODELS.build(dict(
        type='Boost', backbone=dict(type='ResNet_CIFAR', depth=18), bank=dict(num_samples=2 * rows),
        head=dict(type='LinearClusterHead', in_channels=512, num_clusters=CLUSTERS), labeller=labeller,
        pseudo_label_loss=dict(type='FixMatchLoss', num_clusters=CLUSTERS), teacher=dict(decay=0.999),
        data_preprocessor=dict(type='ViewPreprocessor', mean=[127.5], std=[60.])))
    model.init_weights()
    if side == 'off':
        model.bank.fill(target=torch.arange(2 * rows) % CLUSTERS)
    else:
        model.bank.fill(index=torch.arange(args.labelled) + rows, anchor=torch.arange(args.labelled))
        model.labeller.set_map(torch.arange(args.labelled) % CLUSTERS)
    return model.train().to('cuda' if torch.cuda.is_available() else 'cpu')


def make_data(args: argparse.Namespace, side: str) -> dict[str, Rows]:
    """One item of a loader: finished views, uint8."""
    def rows(size: int, start: int, views: int) -> Rows:
        images = [torch.randint(256, (size, 3, args.image, args.image), dtype=torch.uint8) for _ in range(views)]
        return Rows(images, start + torch.arange(size), torch.arange(size))

    data = dict(labelled=rows(args.labelled, 0, 1), unlabelled=rows(args.unlabelled, args.labelled, 2))
    if side == 'on':
        data['reference'] = rows(args.labelled, args.labelled + args.unlabelled, 1)
    return data


def make_step(args: argparse.Namespace, side: str) -> tuple[nn.Module, Callable[[], None]]:
    """A model and one training step of it: preprocessor, forward, backward, optimiser, average of the weights."""
    model, data = make_model(args, side), make_data(args, side)
    optimizer = OPTIMIZERS.build(dict(type='SGD', lr=0.03, momentum=0.9, nesterov=True, params=model.parameters()))
    wrapper = OPTIM_WRAPPERS.build(dict(type='AutocastOptimWrapper', optimizer=optimizer,
                                        dtype=None if args.dtype == 'float32' else args.dtype))

    def step() -> None:
        model.train_step(data, wrapper)
        model.teacher.update(model)

    return model, step


def timed(function: Callable[[], Any]) -> tuple[float, float]:
    """Wall-clock and processor seconds of a call."""
    wait = torch.cuda.synchronize if torch.cuda.is_available() else lambda: None
    wait()
    start, cpu = time.perf_counter(), time.process_time()
    function()
    wait()
    return time.perf_counter() - start, time.process_time() - cpu


def added_parts(model: nn.Module, step: Callable[[], Any], interval: int) -> dict[str, Callable[[], Any]]:
    """What ASD adds, each part by itself, on what a step hands to it.

    Args:
        model: With ASD's labels.
        step: Takes a step of it; called once.
        interval: N_t.

    Returns:
        ``'reference'``, ``'rest'`` (forward, and backward to the features) and ``'map'`` -> function.
    """
    kept: dict[str, tuple] = {}
    reference = model.embed_reference

    def noted(*images: Tensor) -> Any:
        kept['images'] = images
        return reference(*images)

    handle = model.labeller.register_forward_pre_hook(lambda _, inputs: kept.update(inputs=inputs))
    model.embed_reference = noted
    step()
    handle.remove()
    del model.embed_reference
    l, u, bank, given = kept['inputs']
    l, u = (rows._replace(**{name: value.detach().requires_grad_() for name, value in rows._asdict().items()
                             if name.startswith('feat')}) for rows in (l, u))
    hook = TransitionHook(interval=interval)
    return dict(reference=lambda: reference(*kept['images']),
                rest=lambda: model.labeller(l, u, bank, given)[1]['loss_ins'].backward(),
                map=lambda: cluster_classes(hook.similarity(model.labeller), CLUSTERS))


def peak_of(side: str) -> float:
    """Peak memory of one step of a side in MB, in a process of its own with this one's arguments."""
    found = subprocess.run([sys.executable, os.path.abspath(__file__), *sys.argv[1:], '--only', side],
                           capture_output=True, text=True, check=True)
    return float(found.stdout.split()[-1])


def main() -> None:
    """Measure in turn and print the shares."""
    args = parse_args()
    init_default_scope('mmcluster')
    MMLogger.get_instance('asd_share', log_level='WARNING')
    torch.set_num_threads(args.threads)
    if args.only:
        make_step(args, args.only)[1]()
        print(torch.cuda.max_memory_allocated() / 2 ** 20 if torch.cuda.is_available() else host_peak() / 2 ** 20)
        return
    steps = {side: make_step(args, side) for side in SIDES}
    syncs = {'off': count_host_syncs(steps['off'][1])}
    added = added_parts(steps['on'][0], lambda: syncs.update(on=count_host_syncs(steps['on'][1])), args.interval)
    whole: dict[str, list] = {side: [] for side in SIDES}
    for number in range(args.rounds):
        for side in SIDES[::-1 if number % 2 else 1]:
            whole[side].append(timed(steps[side][1]))
    parts = {name: [timed(part) for _ in range(args.repeats if name != 'reference' else max(1, args.repeats // 5))]
             for name, part in added.items()}
    print(f'{cpu_name()}, {args.threads} threads; torch {torch.__version__}, Python {platform.python_version()}'
          + (f', {torch.cuda.get_device_name()}' if torch.cuda.is_available() else ''))
    print(f'FixMatch, ResNet-18, {args.image} px, {args.labelled} labelled and {args.unlabelled} unlabelled images, '
          f'{args.dtype}, median of {args.rounds} rounds')
    for clock, title in enumerate(('wall clock', 'processor time')):
        off, on = (statistics.median(pair[clock] for pair in whole[side]) for side in SIDES)
        reference, rest, make = (statistics.median(pair[clock] for pair in parts[name]) for name in parts)
        print(f'{title:15} a step: without ASD {1e3 * off:.1f} ms, with {1e3 * on:.1f} ms, ASD {on / off - 1:+.2%} '
              f'(target {WHOLE:.0%})')
        print(f'{"":15} by itself: reference pass {1e3 * reference:.2f} ms, {reference / off:.2%}; rest '
              f'{1e3 * rest:.2f} ms, {rest / off:.2%} (target {REST:.0%}); a map {1e3 * make:.2f} ms, '
              f'{make / args.interval / off:.4%} each of {args.interval} steps')
    print(f'host syncs a step: { {side: dict(counts) for side, counts in syncs.items()} }')
    peak = {side: peak_of(side) for side in SIDES}
    print(f'peak memory of a process: without ASD {peak["off"]:.0f} MB, with {peak["on"]:.0f} MB')


if __name__ == '__main__':
    main()
