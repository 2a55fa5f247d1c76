"""Give new images to the clusters of a result."""
from __future__ import annotations

import argparse
import sys

from mmcluster.command_line import output_file

from .console import Console, short_warnings
from .options import add_machine, add_talk

USAGE = 'mmcluster assign RESULT NEW_IMAGES [options]'
DESCRIPTION = """Give new images to the clusters of a result; the old ones are not needed. Prints a
table: path, cluster (-1: belongs to none; empty: cannot be read), confidence,
second choice, margin, distance to the centre, outlier score."""
EXAMPLES = """examples:
  mmcluster assign clusters/Photos ~/new --out new.csv
  mmcluster assign clusters/Photos a.jpg b.jpg --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('result', metavar='RESULT', help='folder that mmcluster cluster wrote')
    parser.add_argument('images', metavar='NEW_IMAGES', nargs='+', help='a folder, or files')
    parser.add_argument('--out', metavar='CSV', type=output_file, help='write the table here')
    parser.add_argument('--encoder', metavar='E', help='where the encoder of the result lies, if it moved')
    add_machine(parser)
    add_talk(parser)


def run(args: argparse.Namespace) -> None:
    """Assign."""
    console = Console(args.quiet, args.json, lines_to=None if args.out else sys.stderr)
    with short_warnings(console):
        from mmcluster.apis.assigning import COLUMNS, assign
        from mmcluster.apis.result import refuse_result_file
        from mmcluster.utils import counted_as
        from mmcluster.writing import whole_file
        if args.out:
            refuse_result_file(args.out)
        done = assign(args.result, args.images, args.encoder, args.device, args.workers, args.store, console)
        if args.out:
            with whole_file(args.out) as stream:
                stream.write(done.table().encode('utf-8', 'surrogateescape'))
        elif not args.json:
            sys.stdout.buffer.write(done.table().encode('utf-8', 'surrogateescape'))
            sys.stdout.buffer.flush()
        for path, reason in done.unreadable:
            console.line(f'cannot be read: {path}: {reason}')
        nowhere = int((done.found.cluster < 0).sum())
        console.line(f'{counted_as(len(done.paths) - nowhere, "image")} in clusters, {nowhere:,} in none')
        if args.out:
            console.line(f'wrote {args.out}')
        columns = {name: getattr(done.found, name).tolist() for name in COLUMNS[1:]}
        console.result(dict(images=[dict(path=path, **dict(zip(columns, row)))
                                    for path, row in zip(done.paths, zip(*columns.values()))],
                            unreadable=[dict(path=path, reason=reason) for path, reason in done.unreadable]))
