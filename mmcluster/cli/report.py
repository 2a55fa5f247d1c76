"""Draw the page of a result again."""
from __future__ import annotations

import argparse

from .console import Console, short_warnings
from .options import add_talk, positive

USAGE = 'mmcluster report RESULT [options]'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('result', metavar='RESULT', help='folder that mmcluster cluster wrote')
    parser.add_argument('--root', metavar='DIR', help='folder of the images, if it moved')
    parser.add_argument('--workers', metavar='N', type=positive, help='threads that read images')
    parser.add_argument('--follow-links', action='store_true', help='draw images behind links out of their folder, '
                        'too; the result of somebody else could so put files of yours on the page')
    add_talk(parser)


def run(args: argparse.Namespace) -> None:
    """Draw."""
    console = Console(args.quiet, args.json)
    with short_warnings(console):
        from mmcluster.apis.folder import draw_page
        page = draw_page(args.result, args.workers, console, args.root, args.follow_links)
        console.line(f'open {page}')
        console.result(dict(page=str(page)))
