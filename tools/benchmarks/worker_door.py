"""Images per second of the 224 pixel worker door, and how long a CPU step waits for its two workers.

python tools/benchmarks/worker_door.py [--size 256] [--format jpg] [--batch 16] [--steps 5] [--threads 2]

Random photographs are written to a temporary folder, and read through the views of PICI's configs. Timed are the loader
alone without, with one and with two workers; a training step alone, on a batch that lies ready; and both together, with
two workers. The step is a Vision Transformer of PICI's size that sees the 98 visible patches of both views and has no
decoder, so it is shorter than PICI's own, and waits more easily. Where workers and step share the cores, the step gets
slower without waiting: its slowdown is printed beside the share of time that it waits. At last the first batch of a
second epoch is timed, with workers that persist and with fresh ones.
"""
from __future__ import annotations

import argparse
import os
import platform
import resource
import tempfile
import time
from pathlib import Path
from typing import Optional

import numpy as np
import torch
from mmengine.registry import init_default_scope
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mmcluster.datasets import ClassFolderSource, IndexedDataset, StreamSampler, identity
from mmcluster.recipes.stages import read_stage

CONFIG = Path(__file__).resolve().parents[2] / 'configs' / 'pici_vit_small_rsod.py'
PATCH, VISIBLE, WIDTH, DEPTH, HEADS = 16, 98, 384, 6, 12


def write_images(folder: Path, count: int, size: int, suffix: str) -> None:
    """Write images of two classes: coarse structure and noise, which cost a JPEG decoder about as much as a photograph.

    Args:
        folder: Where to.
        count: N.
        size: Side in pixels.
        suffix: ``'jpg'``, ``'tif'`` or ``'png'``.
    """
    rng = np.random.default_rng(0)
    for i in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (size // 8, size // 8, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC))
        pixels = (smooth + rng.normal(0, 8, smooth.shape)).clip(0, 255).astype(np.uint8)
        path = folder / f'{i % 2}' / f'{i}.{suffix}'
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(path, **(dict(quality=90) if suffix == 'jpg' else {}))


class Step:
    """A training step on the visible patches of both views."""

    def __init__(self) -> None:
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH, 0., 'gelu', batch_first=True, norm_first=True)
        self.patches = nn.Linear(3 * PATCH ** 2, WIDTH)
        self.encoder = nn.TransformerEncoder(layer, DEPTH, enable_nested_tensor=False)
        self.optimizer = torch.optim.Adam([*self.patches.parameters(), *self.encoder.parameters()])

    def __call__(self, views: list[Tensor]) -> None:
        """Train on V views uint8 (B, 3, H, W)."""
        x = torch.cat(views).float().div_(255).sub_(0.45)
        x = nn.functional.unfold(x, PATCH, stride=PATCH).transpose(1, 2)
        keep = torch.rand(x.shape[:2]).argsort(1)[:, :VISIBLE]
        x = x.gather(1, keep[..., None].expand(-1, -1, x.shape[2]))
        self.optimizer.zero_grad()
        self.encoder(self.patches(x)).square().mean().backward()
        self.optimizer.step()


def loader(dataset: IndexedDataset, batch: int, workers: int, steps: int, persistent: bool = True) -> DataLoader:
    """A loader of batches for some steps, as the configs build it.

    Args:
        dataset: The images.
        batch: B.
        workers: Number of workers.
        steps: Batches per epoch.
        persistent: Keep the workers from one epoch to the next.
    """
    sampler = StreamSampler(dataset, dict(batch=dict(size=batch)), length=steps, rank=0, world_size=1)
    return DataLoader(dataset, batch_size=None, sampler=sampler, num_workers=workers, collate_fn=identity,
                      persistent_workers=persistent and workers > 0)


def speed(dataset: IndexedDataset, batch: int, workers: int, steps: int) -> float:
    """Images per second of the loader alone, its workers running already."""
    batches = loader(dataset, batch, workers, steps)
    for _ in batches:
        if workers == 0:
            break
    begin = time.perf_counter()
    for _ in batches:
        pass
    seconds = time.perf_counter() - begin
    batches._iterator = None    # stops its workers now, not at some later collection
    return batch * steps / seconds


def together(step: Step, batches: DataLoader) -> tuple[float, float]:
    """Seconds per step that are spent waiting and computing, after the first batch.

    Args:
        step: The training step.
        batches: Where its data comes from.
    """
    waits, works, last = [], [], time.perf_counter()
    for item in batches:
        got = time.perf_counter()
        step(item['batch'].images)
        waits.append(got - last)
        last = time.perf_counter()
        works.append(last - got)
    batches._iterator = None
    return sum(waits[1:]) / len(waits[1:]), sum(works[1:]) / len(works[1:])


def first_batch(dataset: IndexedDataset, batch: int, persistent: bool) -> float:
    """Seconds to the first batch of a second epoch."""
    batches = loader(dataset, batch, 2, 2, persistent)
    for _ in batches:
        pass
    seconds, begin = 0., time.perf_counter()
    for number, _ in enumerate(batches):
        seconds = seconds if number else time.perf_counter() - begin
    batches._iterator = None
    return seconds


def report(dataset: IndexedDataset, args: argparse.Namespace) -> None:
    """Measure and print."""
    rates = [speed(dataset, args.batch, workers, args.steps) for workers in (0, 1, 2)]
    print('loader alone, two views an image: ' + ', '.join(
        f'{rate:.1f} images/s with {workers} workers' for workers, rate in enumerate(rates)))
    step, batches = Step(), loader(dataset, args.batch, 2, args.steps + 1)
    ready = next(iter(loader(dataset, args.batch, 0, 1)))['batch'].images
    times = []
    for _ in range(args.steps + 1):
        begin = time.perf_counter()
        step(ready)
        times.append(time.perf_counter() - begin)
    alone = sum(times[1:]) / args.steps
    wait, work = together(step, batches)
    share = 100 * wait / (wait + work)
    print(f'step alone {alone:.3f} s ({args.batch / alone:.1f} images/s); with two workers it waits {wait:.3f} s and '
          f'works {work:.3f} s: {share:.1f} % of the time waiting, {work / alone:.2f} times as slow')
    kept, fresh = (first_batch(dataset, args.batch, persistent) for persistent in (True, False))
    print(f'first batch of a second epoch: {kept:.2f} s with persistent workers, {fresh:.2f} s with fresh ones')


def main(arguments: Optional[list[str]] = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--images', type=int, default=128)
    parser.add_argument('--size', type=int, default=256, help='side of the images in pixels')
    parser.add_argument('--format', choices=['jpg', 'tif', 'png'], default='jpg')
    parser.add_argument('--batch', type=int, default=16)
    parser.add_argument('--steps', type=int, default=5)
    parser.add_argument('--threads', type=int, default=os.cpu_count())
    args = parser.parse_args(arguments)
    torch.set_num_threads(args.threads)
    init_default_scope('mmcluster')
    print(f'{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, torch '
          f'{torch.__version__}, Pillow {Image.__version__}')
    print(f'{args.images} {args.format} images of {args.size} x {args.size}, batch {args.batch}, {args.steps} steps, '
          f'{args.threads} threads')
    with tempfile.TemporaryDirectory() as folder:
        write_images(Path(folder), args.images, args.size, args.format)
        given = read_stage(CONFIG).train_dataloader.dataset
        report(IndexedDataset(ClassFolderSource(folder, splits=None), pipelines=given.pipelines), args)
    own, child = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f'peak memory {own:.0f} MiB, of the largest worker {child:.0f} MiB')


if __name__ == '__main__':
    main()
