"""Run a table of a paper, say how far it is, print it beside the paper's figures."""
from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from .options import positive

if TYPE_CHECKING:
    from mmcluster.experiments.table import Table

USAGE = 'mmcluster experiment ls|run|status|table TABLE [options]'
EXAMPLES = """examples:
  mmcluster experiment run house/digits --jobs 2
  mmcluster experiment run clusmatch/table4 --gpus 0 1 2 3
  mmcluster experiment run clusmatch/table4 --slurm gpu
  mmcluster experiment run my/table.py --reduced
  mmcluster experiment table house/digits --format latex
"""
FORMATS = dict(markdown='md', latex='tex', csv='csv')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('task', choices=['ls', 'run', 'status', 'table'])
    parser.add_argument('table', nargs='?', help='a file, or the name of a table that comes with mmcluster')
    parser.add_argument('--work-dir', default=os.path.join('work_dirs', 'experiments'),
                        help='runs of all tables, which share what they have in common')
    parser.add_argument('--rows', nargs='+', metavar='ROW', help='titles of some rows')
    parser.add_argument('--columns', nargs='+', metavar='COLUMN', help='titles of some columns')
    parser.add_argument('--seeds', type=int, nargs='+', help='in the place of those of the table')
    parser.add_argument('--reduced', action='store_true', help='a trial with few small images, in a folder of its own')
    parser.add_argument('--jobs', type=positive, default=1, help='runs at a time on the CPU')
    parser.add_argument('--gpus', type=int, nargs='+', default=[], help='numbers of GPUs, one run at a time on each')
    parser.add_argument('--slurm', metavar='PARTITION', help='hand the runs to Slurm as arrays')
    parser.add_argument('--sbatch', default='', metavar='OPTIONS', help='further options of sbatch, in one text: '
                        '--sbatch="--time=12:00:00"')
    parser.add_argument('--dry-run', action='store_true', help='say what would run; write scripts of Slurm only')
    parser.add_argument('--job', help='one run of the table by its folder, as arrays of Slurm ask for it')
    parser.add_argument('--format', choices=list(FORMATS), default='markdown',
                        help='what is printed; of a whole table all are written')


def run(args: argparse.Namespace) -> None:
    """Do what the task says.

    Raises:
        SystemExit: With 1 if a run failed.
    """
    from mmcluster.experiments import read_table, table_file, table_names
    if args.task == 'ls':
        for name in table_names():
            print(f'{name:28}{read_table(table_file(name)).title}')
        return
    if not args.table:
        raise ValueError(f'name a table: a file, or one of {table_names()}')
    table = read_table(table_file(args.table)).only(args.rows, args.columns)
    args.root = os.path.abspath(os.path.join(args.work_dir, 'reduced') if args.reduced else args.work_dir)
    dict(run=_run, status=_status, table=_table)[args.task](args, table)


def _run(args: argparse.Namespace, table: Table) -> None:
    """Run what is not done, then print the table."""
    from mmcluster.experiments.jobs import plans, unique_jobs
    from mmcluster.experiments.running import run_jobs
    from mmcluster.experiments.slurm import submit
    found = plans(table.cells, args.root, args.reduced, args.seeds and tuple(args.seeds))
    jobs = unique_jobs(found)
    if args.job:
        jobs = [job for job in jobs if job.folder == args.job]
        if not jobs:
            raise ValueError(f'{table.name} has no run {args.job}')
    if args.slurm:
        print('\n'.join(submit(jobs, args.root, _command(args), args.slurm, args.sbatch, args.dry_run)))
        return
    if args.dry_run:
        for job in jobs:
            print(f'{job.state(args.root):8}{job.folder}')
        return
    failed = run_jobs(jobs, args.root, args.jobs, args.gpus)
    if not args.job:
        _table(args, table, found)
    if failed:
        print(f'{len(failed)} of {len(jobs)} runs failed; the same command tries them again', file=sys.stderr)
        sys.exit(1)


def _command(args: argparse.Namespace) -> list[str]:
    """The command that runs one job of the same table; its folder is to follow."""
    seeds = ['--seeds', *map(str, args.seeds)] if args.seeds else []
    return [sys.executable, '-m', 'mmcluster', 'experiment', 'run', args.table, '--work-dir',
            os.path.abspath(args.work_dir), *seeds, *(['--reduced'] if args.reduced else [])]


def _status(args: argparse.Namespace, table: Table) -> None:
    """Print a line for each cell and seed: what is done, has started, is missing."""
    from mmcluster.experiments.jobs import plans, unique_jobs
    found = plans(table.cells, args.root, args.reduced, args.seeds and tuple(args.seeds))
    for cell, each in found.items():
        for one in each:
            said = ', '.join(f'{job.stage} {job.state(args.root)}' for job in one.jobs)
            print(f'{cell.title}, seed {one.jobs[-1].seed}: {said}  ({one.jobs[-1].folder})')
    states = [job.state(args.root) for job in unique_jobs(found)]
    print(', '.join(f'{states.count(state)} {state}' for state in ('done', 'started', 'missing')))


def _table(args: argparse.Namespace, table: Table, found: dict | None = None) -> None:
    """Write all forms of the table, and print one; of a part of it nothing is written over the whole."""
    from mmcluster.evaluation.results import write_text
    from mmcluster.experiments.figure import draw
    from mmcluster.experiments.jobs import plans
    from mmcluster.experiments.printing import as_csv, latex, markdown
    from mmcluster.experiments.results import results_of
    found = found or plans(table.cells, args.root, args.reduced, args.seeds and tuple(args.seeds))
    results = results_of(found, table, args.root)
    texts = dict(markdown=markdown(table, results), latex=latex(table, results), csv=as_csv(table, results))
    fewer = any(set(cell.seeds) - {one.jobs[-1].seed for one in each} for cell, each in found.items())
    if args.rows or args.columns or fewer:
        print(texts[args.format])
        print('a part of the table is not written to a file', file=sys.stderr)
        return
    place = os.path.join(args.root, 'tables', *table.name.split('/'))
    os.makedirs(os.path.dirname(place), exist_ok=True)
    for kind, text in texts.items():
        write_text(f'{place}.{FORMATS[kind]}', text)
    print(texts[args.format])
    drawn = bool(table.figure) and draw(table, results, found, args.root, f'{place}.png')
    print(f'written to {place}.md, .tex and .csv{", drawn in .png" if drawn else ""}', file=sys.stderr)
