"""List the models whose configs come with mmcluster."""
from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmcluster.apis.zoo import ModelEntry

USAGE = 'mmcluster models [PATTERN] [options]'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('pattern', metavar='PATTERN', nargs='?', help='such as "scan*cifar10"')
    parser.add_argument('--pretrained', action='store_true', help='only those with weights')
    parser.add_argument('--json', action='store_true', help='print one JSON list')


def run(args: argparse.Namespace) -> None:
    """Print names, methods and data."""
    from mmcluster.apis.zoo import list_models, model_entry
    names = list_models(args.pattern, pretrained=args.pretrained)
    if args.json:
        print(json.dumps([dict(name=name, **vars(model_entry(name))) for name in names], default=str))
        return
    if not names:
        print('no model fits; mmcluster models names all', file=sys.stderr)
    width = max(map(len, names), default=0)
    for name in names:
        entry = model_entry(name)
        print(f'{name:{width}}  {entry.method:12}  {", ".join(entry.data)}{_weights(entry)}')


def _weights(entry: ModelEntry) -> str:
    """What is published of a model, as the end of its line."""
    if entry.weights is None or entry.sha256 is None:
        return ''
    figures = [f'{name} {value}' for result in entry.results or ()
               for name, value in {**result['Metrics'], **result.get('Seeds', {})}.items()]
    return '  '.join(['', *figures, f'{(entry.size or 0) / 1e6:.1f} MB', f'sha256 {entry.sha256[:8]}',
                      entry.license or ''])
