"""List recipes, show a stage as one config, write a new recipe, check what is generated from them."""
from __future__ import annotations

import argparse
import fnmatch
import sys

from mmcluster.command_line import Settings

USAGE = 'mmcluster configs ls|show|new|check [options]'
EXAMPLES = """examples:
  mmcluster configs ls "*cifar10*"
  mmcluster configs ls --table
  mmcluster configs ls --parts "boosters/*"
  mmcluster configs show propos_clusmatch_r18_cifar10 --stage clusmatch > stage.py
  mmcluster configs new propos/r18 clusmatch_release stl10
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    tasks = parser.add_subparsers(dest='task', metavar='TASK', required=True)
    ls = tasks.add_parser('ls', help='base, boosters, data and the figures of the papers')
    ls.add_argument('pattern', nargs='?', help='such as "scan*cifar10"')
    ls.add_argument('--table', action='store_true', help='bases by boosters, data sets in the cells')
    ls.add_argument('--parts', action='store_true', help='parts of which recipes are made, such as "boosters/*"')
    show = tasks.add_parser('show', help='print the complete config of a stage')
    show.add_argument('recipe', help='a file, or the name of a shipped recipe')
    show.add_argument('--stage', help='stage of a recipe that has several')
    show.add_argument('--cfg-options', nargs='+', action=Settings, help='override settings, key=value')
    new = tasks.add_parser('new', help='write a recipe and check it')
    new.add_argument('base', help='part of the first stage, such as propos/r18')
    new.add_argument('booster', help='part of the second stage, such as clusmatch_release (ls --parts "boosters/*" has '
                     'all); - for none')
    new.add_argument('data', help='data set, such as cifar10')
    new.add_argument('--with', nargs='+', default=(), dest='more', metavar='PART',
                     help='further parts of the last stage, such as select/by_head')
    new.add_argument('--folder', default='.', help='where the file goes')
    check = tasks.add_parser('check', help='rewrite the table of configs/README.md and the metafiles; fail if stale')
    check.add_argument('--folder', help='configs of a checkout')


def run(args: argparse.Namespace) -> None:
    """Do what the task says."""
    dict(ls=_list, show=_show, new=_new, check=_check)[args.task](args)


def _list(args: argparse.Namespace) -> None:
    """Print one line for each recipe."""
    from mmcluster.apis.zoo import list_models, model_entry
    from mmcluster.recipes.catalogue import entries
    if args.table:
        from mmcluster.recipes.overview import overview
        print(overview([entry for entry in entries() if fnmatch.fnmatch(entry.name, f'*{args.pattern or ""}*')]))
        print('\n+: no file, but it composes; write it by: configs.py new BASE/PART BOOSTER DATA')
        return
    if args.parts:
        from mmcluster.recipes.catalogue import header_of
        from mmcluster.recipes.parts import PartReader
        reader = PartReader('.')     # those beside a recipe of this folder, too
        for name in fnmatch.filter(sorted(reader.names()), f'*{args.pattern or ""}*'):
            print(f'{name:36}  {header_of(reader.find(name))[0]}')
        return
    known = set(list_models())
    rows = [('config', 'base', 'boosters', 'data', 'measured', 'the paper says')]
    for entry in entries():
        results = model_entry(entry.name).results if entry.name in known else None
        rows.append((entry.name, entry.stages[0] if entry.stages else '', ' '.join(entry.stages[1:]), entry.data,
                     'yes' if results else 'composes' if entry.stages else '', entry.paper))
    rows = [row for row in rows if row is rows[0] or fnmatch.fnmatch(row[0], f'*{args.pattern or ""}*')]
    if len(rows) == 1:
        print('no recipe fits; leave out the pattern to see all', file=sys.stderr)
        return
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        print('  '.join([f'{text:{width}}' for text, width in zip(row, widths)] + [row[5]]).rstrip())
    print('\nmeasured: the model zoo has its figures; where its stages compose, the page of its method may have some')


def _show(args: argparse.Namespace) -> None:
    """Print one config."""
    from mmcluster.recipes import config_file
    from mmcluster.recipes.catalogue import show
    print(show(config_file(args.recipe), args.stage, args.cfg_options))


def _new(args: argparse.Namespace) -> None:
    """Write one recipe."""
    from mmcluster.recipes.catalogue import new
    path = new(args.base, None if args.booster == '-' else args.booster, args.data, args.folder, args.more)
    print(f'{path.read_text(encoding="utf-8")}\nwritten to {path}; train it by\n  mmcluster train {path}')


def _check(args: argparse.Namespace) -> None:
    """Write what is stale, and fail then."""
    from pathlib import Path

    from mmcluster.recipes import shipped_configs
    from mmcluster.recipes.listings import stale
    found = stale(Path(args.folder) if args.folder else shipped_configs())
    for path, text in found.items():
        path.write_text(text, encoding='utf-8')
        print(f'{path} was stale and is written anew')
    if found:
        sys.exit(1)
