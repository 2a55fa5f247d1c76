"""Train the rows of an ablation table and print it: python tools/analysis_tools/ablation.py TABLE.py --work-dir DIR.

A table is a Python file such as tools/ablations/asd_cnn_digits.py: ``config``, ``metrics`` and ``rows``, title ->
``dict(options={dotted key: value})``; a row may have a ``config`` of its own, or be a ``control``: ``'pixels'``,
k-means on raw pixels, or ``'untrained'``, k-means on features of the network before training. Of a recipe of several
stages ``stage`` names the one whose metrics count; options are its settings, unless they begin with ``stages.``. Every
row is run with every seed, each run in a process and a folder of its own. Runs that are finished are read, not
repeated, so a table can be interrupted and extended. The last checkpoint counts. Mean and standard deviation (n - 1)
over the seeds.
"""
from __future__ import annotations

import argparse
import json
import os
import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, Optional

import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner import set_random_seed
from opened import clusters_of, sweep
from pixels import pixels_kmeans

from mmcluster.apis import open_config, open_model
from mmcluster.evaluation.results import write_json, write_text
from mmcluster.functional.clustering.kmeans import kmeans
from mmcluster.functional.clustering.metrics import clustering_metrics
from mmcluster.recipes.config_names import check_config
from mmcluster.recipes.option_names import check_names
from mmcluster.recipes.recipe import run
from mmcluster.recipes.stages import read_stage
from mmcluster.registry import DATASETS

CONTROLS, SOURCES = ('pixels', 'untrained'), ('head', 'kmeans')


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('table', help='Python file with config, metrics and rows')
    parser.add_argument('--work-dir', required=True, help='a folder for each run, and table.md')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument('--jobs', type=int, default=1, help='runs at a time, one thread each')
    parser.add_argument('--only', nargs='+', help='titles of some rows')
    return parser.parse_args()


def of_stage(options: dict[str, Any], stage: Optional[str]) -> dict[str, Any]:
    """Options under the names that they have in a recipe.

    Args:
        options: Of a row.
        stage: Of the table; ``None``: the recipe has one stage, or none.
    """
    return {key if stage is None or key.startswith('stages.') else '.'.join(
        ['stages', stage, *['options'] * (not key.startswith('facts.')), key]): value for key, value in options.items()}


def control(path: str, kind: str, seed: int) -> dict[str, float]:
    """Metrics of k-means on what no training has touched, under the names of all sources.

    Args:
        path: The config, for data and network.
        kind: See ``CONTROLS``.
        seed: Of the network and of k-means.
    """
    cfg = open_config(path)
    dataset, num_clusters = DATASETS.build(cfg.train_dataloader.dataset), clusters_of(cfg)
    if kind == 'pixels':
        metrics = pixels_kmeans(dataset, num_clusters, seed)
    else:
        set_random_seed(seed)
        model = open_model(cfg)
        model.init_weights()
        model.eval()
        label = kmeans(sweep(model, dataset, model.embed, 256), num_clusters, seed=seed, n_init=10).labels
        metrics = clustering_metrics(dataset.labels, np.asarray(label))
    return {f'{source}/{name}': value for source in SOURCES for name, value in metrics.items()}


def check_table(spec: Config, folder: str) -> None:
    """Refuse a table that could not be printed when all its rows are trained.

    Args:
        spec: The table.
        folder: Of its file.

    Raises:
        ValueError: If it lacks a part, or a row has a control, an option or a metric that there is not.
        FileNotFoundError: If there is no such config.
    """
    missing = [name for name in ('title', 'metrics', 'rows') if not spec.get(name)]
    if missing:
        raise ValueError(f'{spec.filename}: {", ".join(missing)} is missing; a table has title, config, metrics and '
                         f'rows')
    known = clustering_metrics(np.arange(2), np.arange(2))
    for title, row in spec.rows.items():
        if row.get('control') not in (None, *CONTROLS):
            raise ValueError(f'row {title!r}: control must be one of {CONTROLS}, got {row["control"]!r}')
        path = row.get('config', spec.get('config'))
        if not path or not os.path.isfile(os.path.join(folder, path)):
            raise FileNotFoundError(f'row {title!r}: no file {path!r} in {folder}; give the table or the row a config')
        path, options = os.path.join(folder, path), of_stage(row.get('options', {}), spec.get('stage'))
        check_names(Config.fromfile(path, lazy_import=False), options)
        cfg = read_stage(path, spec.get('stage'), options)
        check_config(cfg, f'row {title!r}: ')
        evaluators = cfg.get('val_evaluator') or []
        evaluators = evaluators if isinstance(evaluators, (list, tuple)) else [evaluators]
        sources = SOURCES if row.get('control') else [
            metric.get('prefix') or metric.get('source', 'kmeans') for metric in evaluators]
        for metric in spec.metrics:
            source, _, name = metric.rpartition('/')
            if source not in sources or name not in known:
                raise ValueError(f'row {title!r} has no metric {metric!r}: it has {"/, ".join(sources)}/ followed by '
                                 f'one of {sorted(known)}')


def train(path: str, row: dict[str, Any], seed: int, work_dir: str, stage: Optional[str] = None) -> dict[str, float]:
    """Metrics of one run; it is read if it is finished.

    Args:
        path: The config.
        row: Of the table.
        seed: Of the run.
        work_dir: Of the run.
        stage: Whose metrics count, in a recipe of several.

    Raises:
        ValueError: If the folder holds a run with other options, or the row's control is unknown.
    """
    torch.set_num_threads(1)
    wanted = json.loads(json.dumps(dict(row, config=os.path.basename(path), seed=seed)))
    told, summary = os.path.join(work_dir, 'row.json'), os.path.join(work_dir, stage or '', 'summary.json')
    if os.path.exists(told):
        with open(told, encoding='utf-8') as file:
            if json.load(file) != wanted:
                raise ValueError(f'{work_dir} holds a run with other options; take another --work-dir, or remove it')
    os.makedirs(work_dir, exist_ok=True)
    write_json(told, wanted)
    if not os.path.exists(summary):
        if 'control' in row:
            if row['control'] not in CONTROLS:
                raise ValueError(f'control must be one of {CONTROLS}, got {row["control"]!r}')
            write_json(summary, dict(metrics=control(path, row['control'], seed)))
        else:
            options = of_stage(row.get('options', {}), stage)
            cfg = read_stage(path, options=options) if stage is None else Config.fromfile(path, lazy_import=False)
            cfg.merge_from_dict(dict({} if stage is None else options, work_dir=work_dir,
                                     randomness=dict(seed=seed), log_level='WARNING'))
            run(cfg, resume=stage is None, allow_config_change=False)
    with open(summary, encoding='utf-8') as file:
        return json.load(file)['metrics']


def table(title: str, metrics: list[str], found: dict[str, list[dict[str, float]]]) -> str:
    """Markdown of means and deviations, and of the first metric of each seed.

    Args:
        title: Head of the first column.
        metrics: Names.
        found: row -> metrics of each seed.
    """
    names = [name.rsplit('/')[-1].upper() for name in metrics]
    lines = ['| ' + ' | '.join([title, *names, f'{names[0]} of each seed']) + ' |', '|---' * (len(names) + 2) + '|']
    for row, seeds in found.items():
        values = np.array([[seed[name] for name in metrics] for seed in seeds])
        spread = values.std(axis=0, ddof=1) if len(values) > 1 else np.full(len(metrics), np.nan)
        cells = [f'{mean:.3f} ± {deviation:.3f}' for mean, deviation in zip(values.mean(axis=0), spread)]
        lines.append('| ' + ' | '.join([row, *cells, ', '.join(f'{value:.3f}' for value in values[:, 0])]) + ' |')
    return '\n'.join(lines) + '\n'


def main() -> None:
    """Run what is missing, print, write table.md."""
    args = parse_args()
    spec = Config.fromfile(args.table, lazy_import=False)
    rows = {name: row for name, row in spec.get('rows', {}).items() if not args.only or name in args.only}
    if args.only and not rows:
        raise ValueError(f'no row is named {args.only}; the table has {list(spec.get("rows", {}))}')
    folder = os.path.dirname(os.path.abspath(args.table))
    check_table(spec, folder)
    with ProcessPoolExecutor(args.jobs, get_context('spawn'), max_tasks_per_child=1) as pool:
        jobs = {name: [pool.submit(
            train, os.path.join(folder, row.get('config', spec.config)),
            json.loads(json.dumps({key: row[key] for key in ('options', 'control') if key in row})), seed,
            os.path.join(args.work_dir, re.sub(r'\W+', '_', name).strip('_').lower(), f'seed_{seed}'),
            spec.get('stage'))
            for seed in args.seeds] for name, row in rows.items()}
        found = {name: [job.result() for job in seeds] for name, seeds in jobs.items()}
    text = table(spec.title, list(spec.metrics), found)
    write_text(os.path.join(args.work_dir, 'table.md'), text)
    print(text)


if __name__ == '__main__':
    main()
