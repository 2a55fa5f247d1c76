"""Show ASD's class transitions: the normalised matrix, with the instance classes of a cluster side by side (Fig. 6d).

python tools/analysis_tools/transitions.py CHECKPOINT --out transitions.png [--norm minmax] [--directed] [--tsne]

Blocks on the diagonal say that images move inside clusters. The checkpoint alone is read: the transitions of the last
N_b iterations, and the map that was in force, are in it. --tsne lays the instance classes out by their dissimilarity,
one less the normalised transitions.
"""
from __future__ import annotations

import argparse

import matplotlib
import torch
from sklearn.manifold import TSNE
from torch import Tensor

from mmcluster.command_line import output_file
from mmcluster.compat import load_checkpoint_file
from mmcluster.functional.labels.diagnostics import inside_share, silent_share
from mmcluster.functional.labels.transition import NORMS, transition_similarity
from mmcluster.strict import state_dict_of
from mmcluster.visualization import OrderedTransitions, order_transitions

matplotlib.use('Agg')
from matplotlib import pyplot as plt

COUNTS = 'labeller.counts'


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('checkpoint')
    parser.add_argument('--out', type=output_file, required=True, help='PNG file')
    parser.add_argument('--norm', choices=NORMS, default='minmax', help="of the similarities; the map's own is "
                        'TransitionHook.norm of the config')
    parser.add_argument('--directed', action='store_true', help='keep from (rows) and to (columns) apart')
    parser.add_argument('--tsne', action='store_true', help='points instead of the matrix, coloured by cluster')
    parser.add_argument('--allow-pickle', action='store_true', help='read a checkpoint that can run code')
    return parser.parse_args()


def read_transitions(path: str, allow_pickle: bool = False) -> tuple[Tensor, Tensor]:
    """Transitions (M, M) and map (M,) of a checkpoint.

    Args:
        path: File.
        allow_pickle: See :func:`~mmcluster.compat.load_checkpoint_file`.

    Raises:
        ValueError: If it holds none.
    """
    state = state_dict_of(load_checkpoint_file(path, allow_pickle=allow_pickle))
    if COUNTS not in state:
        raise ValueError(f'{path} holds no {COUNTS}; take a checkpoint of a booster with ASDLabels')
    return state[COUNTS], state['labeller.class_map']


def draw(found: OrderedTransitions, title: str) -> plt.Figure:
    """The matrix with a line between clusters, and their numbers."""
    size = len(found.similarity)
    figure, axis = plt.subplots(figsize=(6.4, 5.6))
    image = axis.imshow(found.similarity.numpy(), cmap='viridis', vmin=0, vmax=1, interpolation='nearest')
    for place in found.starts[1:]:
        axis.axhline(place - 0.5, color='white', linewidth=0.8)
        axis.axvline(place - 0.5, color='white', linewidth=0.8)
    middles = [(start + stop - 1) / 2 for start, stop in zip(found.starts, [*found.starts[1:], size])]
    names = [str(cluster) if cluster >= 0 else 'none' for cluster in found.clusters]
    axis.set_xticks(middles, names)
    axis.set_yticks(middles, names)
    axis.set(title=title, xlabel='cluster of the instance class', ylabel='cluster of the instance class')
    figure.colorbar(image, label='normalised transitions')
    figure.tight_layout()
    return figure


def draw_points(counts: Tensor, class_map: Tensor, norm: str, title: str) -> plt.Figure:
    """t-SNE of the instance classes, those without a cluster in grey."""
    distance = (1 - transition_similarity(counts, norm=norm)).fill_diagonal_(0).numpy()
    places = TSNE(metric='precomputed', init='random', perplexity=min(30, (len(distance) - 1) / 3),
                  random_state=0).fit_transform(distance)
    figure, axis = plt.subplots(figsize=(5.6, 5.6))
    known = (class_map >= 0).numpy()
    axis.scatter(*places[~known].T, color='0.7')
    axis.scatter(*places[known].T, c=class_map.numpy()[known], cmap='tab20')
    axis.set(title=title, xticks=[], yticks=[])
    figure.tight_layout()
    return figure


def main() -> None:
    """Read, draw, write."""
    args = parse_args()
    counts, class_map = read_transitions(args.checkpoint, args.allow_pickle)
    found = order_transitions(counts, class_map, args.norm, not args.directed)
    title = f'{len(counts)} instance classes, {int(counts.sum())} transitions'
    if bool((class_map >= 0).all()):
        title += f', {float(inside_share(counts, class_map)):.2f} inside clusters'
    else:
        print('there was no map yet: instance classes are ordered by their transitions')
    for start, stop, cluster in zip(found.starts, [*found.starts[1:], len(counts)], found.clusters):
        print(f'cluster {cluster}: instance classes {torch.sort(found.order[start:stop]).values.tolist()}')
    print(f'{title}; {float(silent_share(counts)):.2f} of the instance classes have none')
    figure = draw_points(counts, class_map, args.norm, title) if args.tsne else draw(found, title)
    figure.savefig(args.out, dpi=120)
    print(args.out)


if __name__ == '__main__':
    main()
