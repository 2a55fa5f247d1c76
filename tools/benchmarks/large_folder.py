"""Start-up and memory of a data set of a million files, and of what is kept for each of its images.

python tools/benchmarks/large_folder.py [--images 1280000] [--classes 1000] [--batch 64] [--workers 2] [--folder DIR]

A tree of class folders is made up of links to one photograph, unless DIR holds one already. A process lists it without
a cache; three more start from the cache, each up to the first batch of views of ImageNet's configs out of its workers.
The longest counts. Memory is all that one process sees (resident set size, with libraries and mapped files), and the
part that it shares with nobody (unique set size). Then the fields of the sample bank of some recipes are
saved and loaded, together with a sampler that jumps to its hundredth epoch.
"""
from __future__ import annotations

import argparse
import copy
import io
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Optional

import numpy as np
import torch
from mmengine.registry import init_default_scope
from PIL import Image
from torch.utils.data import DataLoader

from mmcluster.datasets import ClassFolderSource, IndexedDataset, StreamSampler, identity
from mmcluster.recipes.stages import read_stage
from mmcluster.registry import MODELS

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
RECIPES = {'ProPos': ('propos_r18_cifar10.py', None), 'SeCu': ('secu_r50_imagenet.py', None),
           'ClusMatch': ('secu_clusmatch_r50_imagenet.py', 'clusmatch')}


def make_tree(root: Path, images: int, classes: int) -> None:
    """Make class folders full of links to one JPEG of 500 x 375 pixels each.

    Args:
        root: Where to.
        images: N.
        classes: K.
    """
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (47, 63, 3), dtype=np.uint8)).resize((500, 375))
    content = io.BytesIO()
    coarse.save(content, 'jpeg', quality=90)
    for label in range(classes):
        folder = root / f'n{label:08}'
        folder.mkdir(parents=True)
        first = f'{folder}/n{label:08}_0.JPEG'
        Path(first).write_bytes(content.getvalue())
        for i in range(1, images // classes):
            os.link(first, f'{folder}/n{label:08}_{i}.JPEG')


def memory(pid: int) -> tuple[int, int]:
    """MiB that a process sees, and that it alone has."""
    with open(f'/proc/{pid}/smaps_rollup', encoding='utf-8') as file:
        sizes = {line.split(':')[0]: int(line.split()[1]) for line in file if line.endswith('kB\n')}
    return sizes['Rss'] // 1024, (sizes['Private_Clean'] + sizes['Private_Dirty']) // 1024


def start(root: Path, batch: int, workers: int, begun: float) -> None:
    """Open the folder, take one batch, and print what it took since ``begun`` and since the imports."""
    imported = time.time()
    init_default_scope('mmcluster')
    cfg = read_stage(CONFIGS / 'secu_r50_imagenet.py')
    source = ClassFolderSource(root, splits=None)
    opened = time.time()
    dataset = IndexedDataset(source, pipelines=cfg.train_dataloader.dataset.pipelines)
    number = dataset.fingerprint
    known = time.time()
    sampler = StreamSampler(dataset, dict(batch=dict(size=batch)), rank=0, world_size=1)
    loader = DataLoader(dataset, batch_size=None, sampler=sampler, num_workers=workers, collate_fn=identity)
    batches = iter(loader)
    next(batches)
    done = time.time()
    pids = [os.getpid(), *(worker.pid for worker in getattr(batches, '_workers', ()))]
    shares = [memory(pid) for pid in pids]
    print(f'{len(dataset)} paths, fingerprint {number:016x}: imports {imported - begun:.2f} s, listing '
          f'{opened - imported:.2f} s, fingerprint {known - opened:.2f} s, first batch {done - known:.2f} s; '
          f'{done - imported:.2f} s after the imports; a process has at most {max(whole for whole, _ in shares)} MiB, '
          f'{max(own for _, own in shares)} MiB alone')
    del batches


def keep(images: int) -> None:
    """Save and load what the recipes keep for every image."""
    init_default_scope('mmcluster')
    for name, (file, stage) in RECIPES.items():
        model = read_stage(CONFIGS / file, stage).model
        model.bank = dict(model.get('bank') or {}, num_samples=images)
        bank = MODELS.build(model).bank
        other = copy.deepcopy(bank)
        file = io.BytesIO()
        begin = time.perf_counter()
        torch.save(bank.state_dict(), file)
        size = file.tell() / 2**20
        file.seek(0)
        other.load_state_dict(torch.load(file, weights_only=True))
        sampler = StreamSampler(range(images), dict(batch=dict(size=4096)), rank=0, world_size=8)
        sampler.set_epoch(100)
        next(iter(sampler))
        seconds = time.perf_counter() - begin
        fields = ', '.join(f'{key} {bank.field(key).dtype} {tuple(bank.field(key).shape)}' for key in bank.fills)
        print(f'{name}: fields {fields}, {size:.0f} MiB, saved and loaded with the sampler in {seconds:.2f} s')


def main(arguments: Optional[list[str]] = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--images', type=int, default=1_280_000)
    parser.add_argument('--classes', type=int, default=1000)
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument('--folder', type=Path, help='class folders that there are, or where to make them')
    parser.add_argument('--begun', type=float, help='of a process that this one starts')
    args = parser.parse_args(arguments)
    if args.begun:
        start(args.folder, args.batch, args.workers, args.begun)
        return
    print(f'{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, torch '
          f'{torch.__version__}, Pillow {Image.__version__}')
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.folder or Path(scratch) / 'images'
        if not folder.exists():
            begin = time.perf_counter()
            make_tree(folder, args.images, args.classes)
            print(f'{args.images} files made in {time.perf_counter() - begin:.0f} s')
            time.sleep(3)       # a folder that has just changed is not kept
        for title in ('without a cache', *['from the cache'] * 3):
            print(f'{title}: ', end='', flush=True)
            subprocess.run([sys.executable, __file__, '--folder', str(folder), '--batch', str(args.batch), '--workers',
                            str(args.workers), '--begun', str(time.time())], check=True,
                           env={**os.environ, 'MMCLUSTER_CACHE': f'{scratch}/cache'})
        print(f'cache: {sum(file.stat().st_size for file in Path(scratch).rglob("cache/*/*")) / 2**20:.0f} MiB')
    keep(args.images)


if __name__ == '__main__':
    main()
