"""Time PICI's encoder on visible patches against all of them, and steps and inference without the decoder against it.

python tools/benchmarks/masked_vit.py [CONFIG] [--batch 4] [--rounds 7] [--threads 1] [--device cpu]

Four pairs take turns, and the median of each counts: the encoder, forward and backward, on the patches that the masks
leave against all patches (target: 1.5 times as fast); a training step, with decoder and optimiser, when the encoder
sees the visible patches against all but a few; a boosting step without the decoder against one whose output is thrown
away, as the release does it; and predictions without the decoder against the same. The images are noise. On one CPU
thread the clock is the processor's, which is fair on a machine in use.
"""
from __future__ import annotations

import argparse
import os
import platform
import time
from typing import Callable

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from multi_head import median_seconds
from torch import Tensor
from train_step import ROOT, cpu_name

from mmcluster.engine.hooks.runtime import host_peak
from mmcluster.functional.views.masked import num_visible
from mmcluster.models.backbones.masked_vit import Tokens
from mmcluster.models.clusterers import PICI
from mmcluster.recipes.stages import read_stage
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

TARGET = 1.5


def make_pici(cfg: Config, args: argparse.Namespace, **backbone: float) -> PICI:
    """A config's model with random weights and pseudo-labels.

    Args:
        cfg: Config of PICI.
        args: Command line.
        backbone: Options of the backbone.
    """
    torch.manual_seed(0)
    model = MODELS.build(dict(cfg.model, bank=dict(num_samples=args.batch), data_preprocessor=None,
                              backbone=dict(cfg.model.backbone, **backbone)))
    model.init_weights()
    model.bank.fill(view_label=torch.randint(model.num_clusters, (args.batch, 2)))
    return model.to(args.device).train()


def make_encoding(model: PICI, x: Tensor, ratio: float) -> Callable[[], float]:
    """Forward and backward through the encoder.

    Args:
        model: PICI.
        x: (B, C, H, W).
        ratio: Share of patches that is removed.
    """

    def encode() -> float:
        model.zero_grad()
        loss = model.backbone.encode(x, ratio).tokens.square().mean()
        loss.backward()
        return float(loss.detach())

    return encode


def make_step(model: PICI, batch: Batch, weights: tuple[float, float, float], decode: bool = False
              ) -> Callable[[], float]:
    """One optimiser step.

    Args:
        model: PICI, for this alone.
        batch: Two views.
        weights: Of the three losses.
        decode: Run the decoder on what the encoder made, and throw its output away.
    """
    model.pisd, model.picd, model.cross_level = weights
    optimizer, masked = torch.optim.Adam(model.parameters(), 1e-4), model.backbone.masked

    def decoded(x: Tensor) -> Tokens:
        seen = masked(x)
        model.decoder(seen.tokens, seen.restore)
        return seen

    if decode:
        model.backbone.masked = decoded

    def step() -> float:
        optimizer.zero_grad()
        total = sum(value for name, value in model.loss(batch).items() if name.startswith('loss_'))
        total.backward()
        optimizer.step()
        return float(total.detach())

    return step


def make_prediction(model: PICI, x: Tensor, decode: bool) -> Callable[[], float]:
    """Clusters of images (B, C, H, W), with or without pixels that nobody asked for."""

    @torch.no_grad()
    def predict() -> float:
        seen = model.backbone.encode(x, 0.)
        total = model.head(seen.tokens[:, 0]).argmax(1).sum()
        return float(total + model.decoder(seen.tokens, seen.restore).sum() if decode else total)

    return predict


def main() -> None:
    """Measure in turn and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', nargs='?', default=os.path.join(ROOT, 'configs', 'pici_vit_small_uc_merced.py'))
    parser.add_argument('--batch', type=int, default=4)
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--device', default='cpu')
    args = parser.parse_args()
    init_default_scope('mmcluster')
    MMLogger.get_instance('masked_vit', log_level='WARNING')
    torch.set_num_threads(args.threads)
    cfg = read_stage(args.config)
    model = make_pici(cfg, args)
    network = model.backbone
    places, channels = network.grid[0] * network.grid[1], network.in_channels
    visible = num_visible(places, network.mask_ratio)
    views = [torch.randn(args.batch, channels, *network.img_size, device=args.device) for _ in range(2)]
    batch = Batch(views, torch.arange(args.batch, device=args.device))
    images = torch.cat(views)
    nearly_all = make_pici(cfg, args, mask_ratio=1.5 / places)
    sides = {
        'encoder, forward and backward': (make_encoding(model, images, network.mask_ratio),
                                          make_encoding(model, images, 0.), f'{visible} of {places} patches', 'all'),
        'training step': (make_step(make_pici(cfg, args), batch, (1., 1., 0.)),
                          make_step(nearly_all, batch, (1., 1., 0.)), f'{visible} of {places} patches',
                          f'{num_visible(places, nearly_all.backbone.mask_ratio)}'),
        'boosting step': (make_step(make_pici(cfg, args), batch, (0., 1., 1.)),
                          make_step(make_pici(cfg, args), batch, (0., 1., 1.), True), 'no decoder', 'decoder run'),
        'prediction': (make_prediction(model, images, False), make_prediction(model, images, True), 'no decoder',
                       'decoder run'),
    }
    processor = args.device == 'cpu' and args.threads == 1
    print(f'{cpu_name()}, {args.threads} threads, {args.device}; torch {torch.__version__}, Python '
          f'{platform.python_version()}')
    print(f'{os.path.basename(args.config)}, two views of {args.batch} images, median of {args.rounds} rounds, '
          f'{"processor" if processor else "wall"} time')
    for name, (lean, full, how, other) in sides.items():
        lean(), full()
        times = median_seconds({True: lean, False: full}, args.rounds, time.process_time if processor else
                               time.perf_counter)
        print(f'{name}: {how} {1e3 * times[True]:.0f} ms, {other} {1e3 * times[False]:.0f} ms, ratio '
              f'{times[False] / times[True]:.2f}' + (f' (target {TARGET})' if name.startswith('encoder') else ''))
    device = f', device {torch.cuda.max_memory_allocated() / 2 ** 20:.0f} MB' if args.device.startswith('cuda') else ''
    print(f'peak memory: host {host_peak() / 2 ** 20:.0f} MB{device}')


if __name__ == '__main__':
    main()
