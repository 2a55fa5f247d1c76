"""Cluster a folder of images and draw a page of the result."""
from __future__ import annotations

import argparse

from .console import Console, short_warnings
from .options import add_machine, add_talk, clusters, not_negative, positive

USAGE = 'mmcluster cluster FOLDER [options]'
DESCRIPTION = 'Cluster the images of FOLDER, at any depth; nothing in it is changed.'
EXAMPLES = """examples:
  mmcluster cluster ~/Photos --k 12
  mmcluster cluster ~/Photos --k 5:60 --method scan --link
  mmcluster cluster scans --train --k 8 --labels labels.csv"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add = parser.add_argument
    add('folder', metavar='FOLDER', help=argparse.SUPPRESS)     # the description says it, which spares lines
    add('--out', metavar='DIR', help='result, page included (default: clusters/FOLDER)')
    add('--k', type=clusters, default='auto', help='clusters: 12, 5:60 or auto (default)')
    add('--method', metavar='M', default='auto', help='spectral, kmeans, scan, temi, turtle, agglomerative ...')
    add('--encoder', metavar='E', default='default', help='timm:NAME, torchvision:NAME[=FILE], a work dir ...')
    add('--train', metavar='RECIPE', nargs='?', const=True, default=False,
        help='train an encoder on these images first')
    add('--boost', metavar='BOOSTER', choices=['clusmatch'], help='clusmatch: go on from the clusters on the features')
    add('--finetune', metavar='BOOSTER', choices=['clusmatch'], help='... on the images')
    add('--epochs', metavar='N', type=positive, help='of --train, --boost and --finetune')
    add('--labels', metavar='L', help='folders, or a CSV of path and label: for metrics only')
    into = parser.add_mutually_exclusive_group()
    into.add_argument('--link', dest='folders', action='store_const', const='link',
                      help='a folder per cluster, with links; or --copy: with copies')
    into.add_argument('--copy', dest='folders', action='store_const', const='copy', help=argparse.SUPPRESS)
    add('--limit', metavar='N', type=positive, help='draw N images')
    add('--seed', metavar='N', type=not_negative, default=0, help='of everything that is drawn (default: 0)')
    add_machine(parser)
    add_talk(parser)


def run(args: argparse.Namespace) -> None:
    """Cluster."""
    console = Console(args.quiet, args.json)
    with short_warnings(console):
        from mmcluster.apis.folder import Settings, cluster_folder
        from mmcluster.apis.folder_words import PAGE
        from mmcluster.apis.result import read_summary
        out = cluster_folder(args.folder, args.out, Settings(
            clusters=args.k, method=args.method, encoder=args.encoder, train=args.train, boost=args.boost,
            finetune=args.finetune, epochs=args.epochs, labels=args.labels, limit=args.limit, seed=args.seed,
            device=args.device, workers=args.workers, store=args.store, folders=args.folders), console)
        console.result(dict(read_summary(out), out=str(out), page=str(out / PAGE)))
