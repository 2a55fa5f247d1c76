"""Samples per second of the two-view SimCLR pipeline: in-memory door against PIL and torchvision, one core each.

Both sides start from one uint8 array (N, H, W, 3) and end in two normalised float views of every row. The in-memory
door gathers whole batches and augments them with batched operations (ViewPreprocessor); the other side runs the same
recipe image by image with PIL and torchvision to uint8 views, as the worker door does, stacks them and normalises the
batch. The two take turns, and the median over the rounds counts, so that other load on the machine falls on both.

    python tools/benchmarks/augment.py --size 32 --batch 256
"""
from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from pathlib import Path
from typing import Callable

import numpy as np
import PIL
import torch
import torchvision
from PIL import Image
from torch import Tensor
from torchvision import transforms as T

import mmcluster.datasets.transforms  # noqa: F401  (registers the batched operations)
from mmcluster.models.preprocessor import ViewPreprocessor
from mmcluster.structures import Rows

MEAN, STD = (125.3, 123.0, 113.9), (51.6, 50.8, 51.3)
JITTER = (0.4, 0.4, 0.4, 0.1)


def load_images(count: int, size: int) -> tuple[Tensor, str]:
    """Read images to work on: CIFAR-10 as JPEG files if there are any, else smooth random ones.

    Args:
        count: N.
        size: Side in pixels.

    Returns:
        (N, size, size, 3) uint8, and a word about their origin.
    """
    root = Path(os.environ.get('MMCLUSTER_DATA', Path(__file__).resolve().parents[2] / 'data'))
    files = sorted((root / 'cifar10').glob('train/*/*.jpg'))[:count]
    if len(files) == count:
        images = [Image.open(file).convert('RGB').resize((size, size)) for file in files]
        return torch.from_numpy(np.stack([np.asarray(image) for image in images])), 'CIFAR-10 (JPEG)'
    coarse = torch.rand(count, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    smooth = torch.nn.functional.interpolate(coarse, size=(size, size), mode='bicubic').clamp_(0, 1)
    return (smooth.permute(0, 2, 3, 1) * 255).round().byte().contiguous(), 'smooth random images'


def in_memory_door(bank: Tensor, size: int) -> Callable[[Tensor, int], list[Tensor]]:
    """Build the batched side.

    Args:
        bank: (N, H, W, 3) uint8.
        size: Side of the views.

    Returns:
        Function (rows (B,), running number) -> two views (B, 3, size, size).
    """
    recipe = [dict(type='BatchRandomResizedCrop', size=size, scale=(0.08, 1.), flip_prob=0.5),
              dict(type='BatchColorJitter', brightness=JITTER[0], contrast=JITTER[1], saturation=JITTER[2],
                   hue=JITTER[3], prob=0.8),
              dict(type='BatchGrayscale', prob=0.2)]
    preprocessor = ViewPreprocessor(MEAN, STD, views=[recipe, recipe], channels_last=True)

    def make(rows: Tensor, first: int) -> list[Tensor]:
        """Gather rows (B,) and augment them as one batch."""
        data = dict(batch=Rows([bank[rows]], rows, torch.arange(first, first + len(rows))))
        return preprocessor(data, training=True)['data_samples']['batch'].views
    return make


def per_image_door(bank: Tensor, size: int) -> Callable[[Tensor, int], list[Tensor]]:
    """Build the side of PIL and torchvision.

    Args:
        bank: (N, H, W, 3) uint8.
        size: Side of the views.

    Returns:
        Function (rows (B,), running number) -> two views (B, 3, size, size).
    """
    array = bank.numpy()
    pipeline = T.Compose([T.RandomResizedCrop(size, scale=(0.08, 1.)), T.RandomHorizontalFlip(0.5),
                          T.RandomApply([T.ColorJitter(*JITTER)], p=0.8), T.RandomGrayscale(0.2), T.PILToTensor()])
    preprocessor = ViewPreprocessor(MEAN, STD, channels_last=True)

    def make(rows: Tensor, first: int) -> list[Tensor]:
        """Augment rows (B,) one by one."""
        pairs = []
        for row in rows.tolist():
            image = Image.fromarray(array[row])
            pairs.append((pipeline(image), pipeline(image)))
        finished = [torch.stack(view) for view in zip(*pairs)]
        data = dict(batch=Rows(finished, rows, torch.arange(first, first + len(rows))))
        return preprocessor(data, training=True)['data_samples']['batch'].views
    return make


def seconds(make: Callable[[Tensor, int], list[Tensor]], batches: list[Tensor]) -> float:
    """Time one pass over some batches.

    Args:
        make: One of the two sides.
        batches: Row numbers (B,) of each batch.

    Returns:
        Wall seconds.
    """
    start = time.perf_counter()
    for number, rows in enumerate(batches):
        make(rows, number * len(rows))
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--size', type=int, default=32, help='side of images and views in pixels')
    parser.add_argument('--batch', type=int, default=256)
    parser.add_argument('--images', type=int, default=10000, help='rows of the uint8 array')
    parser.add_argument('--batches', type=int, default=8, help='batches per round')
    parser.add_argument('--rounds', type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    bank, origin = load_images(args.images, args.size)
    order = torch.randperm(args.images, generator=torch.Generator().manual_seed(0))
    batches = list(order.split(args.batch))[:args.batches]
    count = sum(len(rows) for rows in batches)
    sides = dict(memory=in_memory_door(bank, args.size), pil=per_image_door(bank, args.size))
    times: dict[str, list[float]] = {name: [] for name in sides}
    for make in sides.values():
        make(batches[0], 0)
    for _ in range(args.rounds):
        for name, make in sides.items():
            times[name].append(seconds(make, batches))
    rate = {name: count / statistics.median(values) for name, values in times.items()}
    print(f'machine     {platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, one thread used')
    print(f'versions    Python {platform.python_version()}, torch {torch.__version__}, torchvision '
          f'{torchvision.__version__}, Pillow {PIL.__version__}')
    print(f'work        {origin}, {args.size} px, batch {args.batch}, two views, median of {args.rounds} rounds')
    print(f'in memory   {rate["memory"]:9.0f} samples/s')
    print(f'per image   {rate["pil"]:9.0f} samples/s')
    print(f'ratio       {rate["memory"] / rate["pil"]:9.2f}')


if __name__ == '__main__':
    main()
