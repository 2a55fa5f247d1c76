"""List the models whose configs come with mmcluster."""
from __future__ import annotations

import argparse
import json
import sys

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
        print(f'{name:{width}}  {entry.method:12}  {", ".join(entry.data)}{"  weights" if entry.weights else ""}')
