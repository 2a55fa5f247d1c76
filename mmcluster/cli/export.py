"""Write encoder and clusters of a result to one file that runs without mmcluster."""
from __future__ import annotations

import argparse

from .console import Console, short_warnings
from .options import add_talk

USAGE = 'mmcluster export RESULT [options]'
EXAMPLES = """examples:
  mmcluster export clusters/Photos                 (clusters.onnx in the result)
  mmcluster export clusters/Photos --format pt2 --out photos.pt2"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('result', metavar='RESULT', help='folder that mmcluster cluster wrote')
    parser.add_argument('--format', choices=['onnx', 'pt2', 'torchscript'], default='onnx', help='default: onnx')
    parser.add_argument('--out', metavar='FILE', help='the file (default: in the result)')
    parser.add_argument('--encoder', metavar='E', help='where the encoder of the result lies, if it moved')
    add_talk(parser)


def run(args: argparse.Namespace) -> None:
    """Export."""
    console = Console(args.quiet, args.json)
    with short_warnings(console):
        from mmcluster.apis.exporting import export
        console.result(dict(file=str(export(args.result, args.out, args.format, args.encoder, console))))
