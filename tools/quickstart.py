"""Run the digits recipe and print a table: raw-pixel k-means, ProPos, ProPos + ClusMatch."""
from __future__ import annotations

import argparse
import json
import os
import time

import torch
from mmengine.config import Config
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits

from mmcluster.engine.recipe import run
from mmcluster.evaluation import write_json
from mmcluster.functional.metrics import clustering_metrics

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NAMES = ('acc', 'nmi', 'ari')


def pixels_kmeans(seed: int) -> dict[str, float]:
    """scikit-learn's k-means on raw pixels, 10 restarts."""
    digits = load_digits()
    label = KMeans(10, n_init=10, random_state=seed).fit_predict(digits.data)
    metrics = clustering_metrics(digits.target, label)
    return {name: metrics[name] for name in NAMES}


def stage_metrics(work_dir: str) -> dict[str, float]:
    """k-means metrics of a finished stage."""
    with open(os.path.join(work_dir, 'summary.json'), encoding='utf-8') as file:
        metrics = json.load(file)['metrics']
    return {name: metrics[f'kmeans/{name}'] for name in NAMES}


def main() -> None:
    """Train, print, write summary.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work-dir', default=os.path.join(ROOT, 'work_dirs', 'quickstart'))
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--overwrite', action='store_true', help='train again even if the results are there')
    args = parser.parse_args()
    torch.set_num_threads(1)  # a network this small gains nothing from more, and rounding depends on their number
    cfg = Config.fromfile(os.path.join(ROOT, 'configs', 'propos_clusmatch_cnn_digits.py'), lazy_import=False)
    cfg.work_dir = args.work_dir
    cfg.randomness = dict(seed=args.seed)
    start = time.time()
    run(cfg, overwrite=args.overwrite)
    seconds = time.time() - start
    summary = dict(pixels_kmeans=pixels_kmeans(args.seed), seconds=round(seconds, 1), seed=args.seed)
    for stage in ('propos', 'clusmatch'):
        summary[stage] = stage_metrics(os.path.join(args.work_dir, stage))
    path = os.path.join(args.work_dir, 'summary.json')
    write_json(path, summary)
    print(f'\n{"8 x 8 digits, K = 10":24}' + ''.join(f'{name.upper():>8}' for name in NAMES))
    titles = dict(pixels_kmeans='raw-pixel k-means', propos='ProPos', clusmatch='ProPos + ClusMatch')
    for key, title in titles.items():
        print(f'{title:24}' + ''.join(f'{summary[key][name]:8.3f}' for name in NAMES))
    print(f'training {seconds:.0f} s, seed {args.seed}; {path}')


if __name__ == '__main__':
    main()
