"""Seconds of embedding JPEGs, against a plain loop of PIL and float32, and of the store's second run.

The plain side reads one image after the other with PIL in full size, resizes it, and passes batches through the same
network in float32, without folded batch norms, in contiguous memory. Both sides see the same files and use the same
number of processors. Files are those below a folder, or are made: images of the given size from small ones, enlarged,
with structure of all scales as photographs have it, at JPEG quality 90. The cosine is between the features of both
sides.

    python tools/benchmarks/features.py --images 10000 --folder photographs
"""
from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from mmcluster.datasets.listing import list_images
from mmcluster.encoders import build_encoder, embed_files
from mmcluster.encoders.embed import default_dtype
from mmcluster.encoders.embedded import MEAN, SIZE, STD, embedded_network

BATCH = 32


def make_image(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """An image whose structures fall in contrast as they become finer, as in photographs."""
    total, weight = np.zeros((height, width, 3), np.float32), 0.
    side = 3
    while side < width:
        grid = rng.integers(0, 256, (max(side * height // width, 1), side, 3), dtype=np.uint8)
        total += np.asarray(Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)) / side ** .5
        weight += side ** -.5
        side *= 3
    total = (total / weight - 127) * 2 + 127
    return Image.fromarray(total.clip(0, 255).astype(np.uint8))


def make_images(folder: Path, count: int, width: int, height: int, source: Path | None) -> list[str]:
    """Write JPEGs; with a source, its images are enlarged and get the fine structure."""
    rng = np.random.default_rng(0)
    found = list_images(source) if source else []
    rng.shuffle(found)
    textures = [make_image(rng, width, height) for _ in range(8)]
    for i in range(count):
        image = textures[i % len(textures)]
        if found:
            large = Image.open(source / found[i % len(found)]).convert('RGB').resize((width, height),
                                                                                     Image.Resampling.BICUBIC)
            image = Image.blend(large, image, .2)
        shift = tuple(int(x) for x in rng.integers(0, (width, height)))     # no two files are the same
        Image.fromarray(np.roll(np.asarray(image), shift[::-1] if not found else (0, 0), (0, 1))).save(
            folder / f'{i:05d}.jpg', quality=90)
    return list_images(folder)


def plain_loop(folder: Path, files: list[str]) -> np.ndarray:
    """The features (N, D) that the textbook loop gives."""
    network = embedded_network().eval()
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD))
    features = []
    for start in range(0, len(files), BATCH):
        pixels = []
        for path in files[start:start + BATCH]:
            image = Image.open(folder / path).convert('RGB')
            side = min(image.size)
            left, top = (image.width - side) / 2, (image.height - side) / 2
            pixels.append(np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BICUBIC,
                                                  box=(left, top, left + side, top + side))))
        with torch.no_grad():
            x = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous().float()
            features.append(network((x - mean) / std).numpy())
    return np.concatenate(features)


def processor_time() -> float:
    """Processor seconds of this process and of its workers that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> None:
    """Run both sides and print seconds, ratio and cosine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--images', type=int, default=10000)
    parser.add_argument('--folder', type=Path, help='JPEGs to embed; by default they are made')
    parser.add_argument('--source', type=Path, help='small images that the made ones are enlarged from')
    parser.add_argument('--size', type=int, nargs=2, default=(1600, 1200), metavar=('WIDTH', 'HEIGHT'))
    parser.add_argument('--threads', type=int, default=os.cpu_count())
    parser.add_argument('--dtype', choices=['bfloat16', 'float32'], default=default_dtype('cpu'))
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = args.folder or work / 'images'
        if args.folder is None:
            folder.mkdir()
            make_images(folder, args.images, *args.size, args.source)
        files = list_images(folder)[:args.images]
        if not files:
            parser.error(f'there is no image in {folder}')
        encoder = build_encoder('default', 'cpu')
        print(f'{platform.processor() or platform.machine()}, torch {torch.__version__}, {args.threads} threads, '
              f'{len(files)} files of {np.mean([(folder / file).stat().st_size for file in files]) / 1e3:.0f} kB, '
              f'{args.dtype}')
        clock, busy = time.perf_counter(), processor_time()
        plain = plain_loop(folder, files)
        plain_time = time.perf_counter() - clock
        print(f'plain loop       {plain_time:8.2f} s (processor {processor_time() - busy:.2f} s)')
        seconds = []
        for run in ('first run', 'second run'):
            clock, busy = time.perf_counter(), processor_time()
            found = embed_files(encoder, files, folder, work / 'store', workers=args.threads, dtype=args.dtype)
            seconds.append(time.perf_counter() - clock)
            print(f'{run:16s} {seconds[-1]:8.2f} s (processor {processor_time() - busy:.2f} s), '
                  f'computed {found.computed}, from the store {found.cached}')
    cosine = (plain * found.embed).sum(1) / np.linalg.norm(plain, axis=1) / np.linalg.norm(found.embed, axis=1)
    print(f'plain / first run {plain_time / seconds[0]:.2f}; second / first run {seconds[1] / seconds[0]:.2%}; '
          f'cosine to the plain features: mean {cosine.mean():.5f}, least {cosine.min():.5f}')


if __name__ == '__main__':
    main()
