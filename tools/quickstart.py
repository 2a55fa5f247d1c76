"""Run a digits recipe and print a table: raw-pixel k-means, then every stage by k-means and by its head."""
from __future__ import annotations

import argparse
import json
import os
import time
from typing import Iterator

import torch

from mmcluster.apis.folder import Settings, cluster_folder
from mmcluster.apis.folder_words import PAGE
from mmcluster.datasets import DigitsSource, IndexedDataset
from mmcluster.evaluation import write_json
from mmcluster.experiments.controls import pixels_kmeans
from mmcluster.recipes import read_config
from mmcluster.recipes.recipe import run

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NAMES = ('acc', 'nmi', 'ari')
SOURCES = dict(kmeans='k-means', head='head')


def stage_metrics(work_dir: str, stage: str) -> Iterator[tuple[str, dict[str, float]]]:
    """Name and metrics of each way in which a finished stage was evaluated.

    Args:
        work_dir: Of the recipe.
        stage: Name of the stage.
    """
    with open(os.path.join(work_dir, stage, 'summary.json'), encoding='utf-8') as file:
        metrics = json.load(file)['metrics']
    for source, title in SOURCES.items():
        if f'{source}/acc' in metrics:
            yield f'{stage}, {title}', {name: metrics[f'{source}/{name}'] for name in NAMES}


def leave_page(work_dir: str, stage: str, seed: int) -> str:
    """Write the digits, their clusters by the network of a stage, and the page of the result.

    Args:
        work_dir: Of the recipe.
        stage: Its last stage.
        seed: Of the clustering.

    Returns:
        The page.
    """
    images, out = os.path.join(work_dir, 'images'), os.path.join(work_dir, 'result')
    source = DigitsSource()
    for i in range(len(source)):
        place = os.path.join(images, str(int(source.labels[i])))
        os.makedirs(place, exist_ok=True)
        source.load(i).save(os.path.join(place, f'{i:04d}.png'))
    settings = Settings(clusters=10, encoder=os.path.join(work_dir, stage), labels='folders', seed=seed, workers=0,
                        store=os.path.join(work_dir, 'features'))
    return str(cluster_folder(images, out, settings) / PAGE)


def main() -> None:
    """Train, print, write summary.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--recipe', default='propos_clusmatch_cnn_digits',
                        help='propos_clusmatch_cnn_digits, spice_cnn_digits or scan_cnn_digits')
    parser.add_argument('--work-dir', help='default: work_dirs/quickstart/<recipe>')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--overwrite', action='store_true', help='train again even if the results are there')
    args = parser.parse_args()
    torch.set_num_threads(1)  # a network this small gains nothing from more, and rounding depends on their number
    cfg = read_config(os.path.join(ROOT, 'configs', f'{args.recipe}.py'))
    cfg.work_dir = args.work_dir or os.path.join(ROOT, 'work_dirs', 'quickstart', args.recipe)
    cfg.randomness = dict(seed=args.seed)
    start = time.time()
    run(cfg, overwrite=args.overwrite)
    seconds = time.time() - start
    control = pixels_kmeans(IndexedDataset(DigitsSource()), 10, args.seed)
    rows = {'raw pixels, k-means': {name: control[name] for name in NAMES}}
    for stage in cfg.stages:
        rows.update(stage_metrics(cfg.work_dir, stage))
    path = os.path.join(cfg.work_dir, 'summary.json')
    write_json(path, dict(recipe=args.recipe, seed=args.seed, seconds=round(seconds, 1), metrics=rows))
    print(f'\n{"8 x 8 digits, K = 10":24}' + ''.join(f'{name.upper():>8}' for name in NAMES))
    for title, metrics in rows.items():
        print(f'{title:24}' + ''.join(f'{metrics[name]:8.3f}' for name in NAMES))
    print(f'training {seconds:.0f} s, seed {args.seed}; {path}')
    print(f'the clusters on a page: {leave_page(cfg.work_dir, list(cfg.stages)[-1], args.seed)}')


if __name__ == '__main__':
    main()
