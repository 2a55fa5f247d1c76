"""Figures of the papers from checkpoints, and curves of runs.

python tools/analysis_tools/analyse.py layout CONFIG CHECKPOINT... --out tsne.png       # --method umap
python tools/analysis_tools/analyse.py purity CONFIG WORK_DIR --out purity.png          # every epoch_*.pth in it
python tools/analysis_tools/analyse.py changed CONFIG BEFORE AFTER --out changed.png --before CONFIG STAGE
python tools/analysis_tools/analyse.py curves WORK_DIR... --out curves.png --metrics kmeans/nmi kmeans/acc

A checkpoint is a file, or a work dir whose epochs are all read: train with default_hooks.checkpoint.interval=1 and
max_keep_ckpts=-1. --arrays keeps what is drawn in a file of NumPy. Ground truth is read for the figures alone.
"""
from __future__ import annotations

import argparse
from typing import Callable

import numpy as np
from checkpoints import files_of
from curves import add_curves
from drawings import confident, draw_layout, draw_sizes, noise, preservation, purity, scores, steadiness
from opened import arguments
from pictures import draw_changed, draw_montage, draw_nearest
from PIL import Image

from mmcluster.command_line import output_file
from mmcluster.visualization import HOW


def add_common(commands: argparse._SubParsersAction, name: str, draw: Callable) -> argparse.ArgumentParser:
    """A sub-command with what all figures of checkpoints need."""
    text = (draw.__doc__ or '').splitlines()[0]
    parser = commands.add_parser(name, parents=[arguments('', add_help=False)], help=text, description=text)
    parser.add_argument('checkpoint', nargs='+', help='file, or work dir with epoch_*.pth')
    parser.add_argument('--source', choices=['head', 'kmeans'], help='of the clusters; default: what the result is of')
    parser.add_argument('--num-clusters', type=int, help="of k-means; default: the config's")
    parser.add_argument('--arrays', type=output_file, help='NumPy file (.npz) for what is drawn')
    parser.add_argument('--seed', type=int, default=0)
    parser.set_defaults(draw=draw)
    return parser


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar='KIND')
    one = add_common(commands, 'layout', draw_layout)
    one.add_argument('--method', choices=['tsne', 'umap'], default='tsne')
    one.add_argument('--perplexity', type=float, default=30.)
    one.add_argument('--max-samples', type=int, default=5000, help='images in a panel, drawn at random')
    add_common(commands, 'purity', purity).add_argument('--bins', type=int, default=10)
    one = add_common(commands, 'preservation', preservation)
    one.add_argument('--sigmas', type=float, nargs='+', default=[0.001, 0.002, 0.005, 0.01, 0.02])
    one.add_argument('--draws', type=int, default=10)
    add_common(commands, 'sizes', draw_sizes)
    add_common(commands, 'noise', noise).add_argument('--field', help='of the bank; default: what the method has')
    add_common(commands, 'steadiness', steadiness)
    add_common(commands, 'confident', confident).add_argument('--threshold', type=float, default=0.95)
    add_common(commands, 'scores', scores).add_argument('--row', type=int, required=True, help='image, by its number')
    one = add_common(commands, 'montage', draw_montage)
    one.add_argument('--how', choices=HOW, default='nearest', help='from the centre of the cluster')
    one.add_argument('--kept', action='store_true', help='of the labels that training had, not of the clusters')
    one.add_argument('--field', help='of the bank, with --kept')
    two = add_common(commands, 'nearest', draw_nearest)
    two.add_argument('--rows', type=int, nargs='+', help='queries; default: images with a neighbour of another class')
    two.add_argument('--queries', type=int, default=8, help='how many, without --rows')
    two.add_argument('--sigma', type=float, default=0., help='noise on the queries: the nearest image of each draw')
    three = add_common(commands, 'changed', draw_changed)
    three.add_argument('--before', nargs='+', metavar=('CONFIG', 'STAGE'), help='of the first checkpoint, if another')
    for picture_of, count in ((one, 10), (two, 5), (three, 32)):
        picture_of.add_argument('--count', type=int, default=count, help='images, of a row or in all')
        picture_of.add_argument('--side', type=int, default=64, help='magnify images to at least as many pixels')
    add_curves(commands)
    return parser.parse_args()


def main() -> None:
    """Read, draw, write."""
    args = parse_args()
    if args.draw is draw_changed and len(files_of(args.checkpoint)) != 2:
        raise ValueError('changed compares two checkpoints: name the one before and the one after')
    drawn, arrays = args.draw(args)
    if isinstance(drawn, np.ndarray):
        Image.fromarray(drawn).save(args.out)
    else:
        drawn.savefig(args.out, dpi=120)
    if args.arrays:
        np.savez(args.arrays, **arrays)
    print(args.out)


if __name__ == '__main__':
    main()
