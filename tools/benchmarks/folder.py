"""The command on a folder of mixed photographs against 20 lines of scikit-learn on the same encoder, side by side.

The folder is made of photographs of hands (10 classes, 50 each) and of five classes of CIFAR-10's test set (200 each).
Both sides run as processes of their own, from images on disk to clusters, the command with an empty feature store and
with its page; class names are used for the figures alone.
"""
from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from mmcluster.encoders.embed import usable_cpus
from mmcluster.functional.clustering.metrics import clustering_metrics

SIGNS, PHOTOS = 50, 200
CLASSES = ('airplane', 'automobile', 'cat', 'horse', 'ship')
PLAIN = '''
import glob, json, sys
import numpy as np, torch
from PIL import Image
from sklearn.cluster import KMeans
from mmcluster.encoders.embedded import embedded_network
torch.set_num_threads(int(sys.argv[3]))
network, rows = embedded_network().eval(), []
files = sorted(glob.glob(sys.argv[1] + '/*/*'))
def pixels(file):
    image = Image.open(file).convert('RGB')
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side)).resize((160, 160), Image.BICUBIC)
    return (np.asarray(image, np.float32).transpose(2, 0, 1) - 127) / 128
with torch.inference_mode():
    for start in range(0, len(files), 64):
        batch = torch.from_numpy(np.stack([pixels(file) for file in files[start:start + 64]]))
        rows.append(network(batch))
labels = KMeans(15, n_init=10, random_state=int(sys.argv[2])).fit_predict(torch.cat(rows).numpy())
print(json.dumps([labels.tolist(), [file.split('/')[-2] for file in files]]))
'''


def make_folder(signs: Path, photos: Path, out: Path) -> None:
    """Copy the images into class folders.

    Args:
        signs: Class folders of the hands.
        photos: Class folders of CIFAR-10's test images.
        out: The new folder.
    """
    chosen = [(f'sign{place.name}', place, SIGNS) for place in sorted(signs.iterdir()) if place.is_dir()]
    chosen += [(name, photos / name, PHOTOS) for name in CLASSES]
    for name, place, count in chosen:
        (out / name).mkdir(parents=True)
        for file in sorted(place.iterdir())[:count]:
            shutil.copy(file, out / name / file.name)


def timed(argv: list[str]) -> tuple[str, dict[str, float]]:
    """Output of a process, its seconds, and those of the processor, which other work on the machine moves less."""
    start, before = time.perf_counter(), os.times()
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return done.stdout, dict(seconds=time.perf_counter() - start, processor=cpu)


def plain(folder: Path, seed: int, threads: int) -> dict[str, float]:
    """Figures of the lines of scikit-learn."""
    said, took = timed([sys.executable, '-c', PLAIN, str(folder), str(seed), str(threads)])
    labels, names = json.loads(said)
    codes = np.unique(names, return_inverse=True)[1]
    return {**clustering_metrics(codes, np.asarray(labels), ami=False), **took}


def command(folder: Path, seed: int, method: str, scratch: Path) -> dict[str, float]:
    """Figures of the command, with nothing in its store."""
    with tempfile.TemporaryDirectory(dir=scratch) as place:
        said, took = timed(
            [sys.executable, '-m', 'mmcluster', 'cluster', str(folder), '--k', '15', '--seed', str(seed), '--method',
             method, '--labels', 'folders', '--out', f'{place}/out', '--store', f'{place}/store', '--json'])
        found = json.loads(said)
        assert Path(found['page']).stat().st_size > 10000
        return {**found['metrics'], **took}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('signs', type=Path, help='class folders of photographs of hands')
    parser.add_argument('photos', type=Path, help='class folders of test images of CIFAR-10')
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--methods', nargs='+', default=['auto', 'kmeans'])
    args = parser.parse_args()
    threads = int(os.environ.get('OMP_NUM_THREADS') or usable_cpus())    # of both sides
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / 'mixed'
        make_folder(args.signs, args.photos, folder)
        runs: dict[str, list[dict[str, float]]] = {}
        for seed in range(args.seeds):      # in turn, so that a busy machine slows all alike
            runs.setdefault('scikit-learn, plain loop', []).append(plain(folder, seed, threads))
            for method in args.methods:
                runs.setdefault(f'mmcluster, {method}', []).append(command(folder, seed, method, Path(scratch)))
    print(f'{"":26}{"ACC":>16}{"NMI":>16}{"seconds":>10}{"processor":>11}   each ACC')
    for title, found in runs.items():
        values = {name: [run[name] for run in found] for name in ('acc', 'nmi', 'seconds', 'processor')}
        cells = [f'{statistics.mean(values[name]):9.3f} ± {statistics.pstdev(values[name]):.3f}'
                 for name in ('acc', 'nmi')]
        print(f'{title:26}{cells[0]:>16}{cells[1]:>16}{statistics.mean(values["seconds"]):10.1f}'
              f'{statistics.mean(values["processor"]):11.1f}   '
              + ', '.join(f'{value:.3f}' for value in values['acc']))


if __name__ == '__main__':
    main()
