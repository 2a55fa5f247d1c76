"""Time an iteration of SPICE's heads with cached features against passing the backbone again in every step.

python tools/benchmarks/spice_cache.py [--rows 20] [--heads 10] [--repeat 8] [--rounds 3] [--threads 2]

The backbone is the ResNet-18 for 32 pixels, frozen in both. In evaluation mode (norm_eval=True) it gives one vector per
image, so an E-step passes every image twice; with batch statistics (norm_eval=False, what the authors' release does)
all mini-batches of all heads pass it again. The images are noise. Both have the same numbers of heads, walks and pairs;
the two take turns and the median counts. M and the mini-batch are small, which changes the ratio of passes little.
"""
from __future__ import annotations

import argparse
import platform

import torch
from mmengine.registry import init_default_scope
from multi_head import count_passes, make_optimisation, median_seconds
from train_step import cpu_name

from mmcluster.models import SPICE
from mmcluster.structures import Batch


def make_spice(norm_eval: bool, args: argparse.Namespace) -> SPICE:
    """SPICE on a frozen ResNet-18.

    Args:
        norm_eval: Its batch norm uses running statistics, so that features are cached.
        args: Command line.
    """
    torch.manual_seed(0)
    head = dict(type='MLPClusterHead', in_channels=512, num_clusters=args.clusters)
    model = SPICE(dict(type='MultiHead', num_heads=args.heads, head=head), norm_eval=norm_eval, batch_size=args.batch,
                  repeat=args.repeat, bank=dict(num_samples=args.rows), channels_last=True,
                  backbone=dict(type='ResNet_CIFAR', depth=18, out_indices=(3,)))
    model.bank.fill(feat=torch.randn(args.rows, 512))
    return model.train()


def main() -> None:
    """Count, time and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rows', type=int, default=20, help='M, rows of an E-step')
    parser.add_argument('--size', type=int, default=32, help='side of the images')
    parser.add_argument('--clusters', type=int, default=10)
    parser.add_argument('--heads', type=int, default=10)
    parser.add_argument('--batch', type=int, default=20, help='pairs of a mini-batch, per head')
    parser.add_argument('--repeat', type=int, default=8, help='walks over the pairs')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    init_default_scope('mmcluster')
    torch.set_num_threads(args.threads)
    views = [torch.randn(args.rows, 3, args.size, args.size).contiguous(memory_format=torch.channels_last)
             for _ in range(2)]
    models = {name: make_spice(name == 'cached', args) for name in ('cached', 'passed again')}
    iterations = {name: make_optimisation(model, Batch(views, torch.arange(args.rows)))
                  for name, model in models.items()}
    passes = {name: count_passes(model, iterations[name]) for name, model in models.items()}
    seconds = median_seconds(iterations, args.rounds)
    print(f'{cpu_name()}, {args.threads} threads; torch {torch.__version__}, Python {platform.python_version()}')
    print(f'ResNet-18, {args.size} px, M {args.rows}, K {args.clusters}, {args.heads} heads, {args.repeat} walks, '
          f'mini-batches of {args.batch}, median of {args.rounds} rounds')
    for name in models:
        print(f'{name:12} {seconds[name]:8.3f} s an iteration, {passes[name]} images pass the backbone')
    first, second = (values['passed again'] / values['cached'] for values in (seconds, passes))
    print(f'cached features are {first:.1f} times as fast; ratio of passes {second:.1f}')


if __name__ == '__main__':
    main()
