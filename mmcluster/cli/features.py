"""Compute the features of a folder of images, and keep them."""
from __future__ import annotations

import argparse

from .console import Console, short_warnings
from .options import add_machine, add_talk, not_negative

USAGE = 'mmcluster features FOLDER [options]'
EXAMPLES = """examples:
  mmcluster features ~/Photos                    (mmcluster cluster then finds them)
  mmcluster features ~/Photos --out photos.npy   (and photos.csv, a path a row)
  mmcluster features ~/Photos --draws 4 --out photos.npy   (with random views, for a booster on features)"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('folder', metavar='FOLDER', help='images at any depth')
    parser.add_argument('--encoder', metavar='E', default='default', help='as of mmcluster cluster')
    parser.add_argument('--out', metavar='NPY', help='also write them here, with the paths in a .csv')
    parser.add_argument('--draws', metavar='N', type=not_negative, default=0,
                        help='also N weak and N strong views of every image (default: 0)')
    add_machine(parser)
    add_talk(parser)


def run(args: argparse.Namespace) -> None:
    """Embed."""
    console = Console(args.quiet, args.json)
    with short_warnings(console):
        from mmcluster.apis.features import folder_features
        found = folder_features(args.folder, args.encoder, args.out, args.device, args.workers, args.store, console,
                                args.draws)
        console.result(dict(images=len(found.paths), unreadable=len(found.unreadable), dim=found.embed.shape[-1],
                            cached=found.cached, computed=found.computed, out=args.out))
