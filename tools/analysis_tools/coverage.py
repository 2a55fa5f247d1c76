"""Advise how many labelled images an iteration of ASD needs (Theorem 1 of the paper).

python tools/analysis_tools/coverage.py --num-images 50000 --num-clusters 10 [--num-labelled 40 60] [--target 0.9]
    [--draws 1000] [--sizes 5000 3000 2000]

P_all is the probability that so many images, drawn at random without replacement, hold every cluster, if clusters are
equally large. Clusters of other sizes need more. Prototypes (ASD_PS) take equally many images around every centre, so
that their number is a multiple of K. --draws adds the share of random draws that hold every cluster (Fig. 4a), of
clusters of the given --sizes.
"""
from __future__ import annotations

import argparse
from typing import Optional, Sequence

from mmcluster.functional.labels.coverage import Advice, advise_num_labelled, coverage_frequency, coverage_probability

TIMES = (1, 2, 3, 4, 5, 6, 8, 10)       # rows of the table, in images a cluster


def parse_args(argv: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """Command line; refuses numbers that make no sense."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--num-images', type=int, required=True, help='N, images of the training set')
    parser.add_argument('--num-clusters', type=int, required=True, help='K')
    parser.add_argument('--num-labelled', type=int, nargs='+', default=[], help='further rows of the table')
    parser.add_argument('--target', type=float, default=0.85, help='wanted P_all; 4 K images reach 0.858 on CIFAR-10')
    parser.add_argument('--draws', type=int, default=0, help='random draws beside the theorem')
    parser.add_argument('--sizes', type=int, nargs='+', help='images of each cluster, for the draws; default: equal')
    args = parser.parse_args(argv)
    if args.num_clusters < 2:
        parser.error(f'--num-clusters must be at least 2, got {args.num_clusters}')
    if args.num_images < args.num_clusters:
        parser.error(f'--num-images: {args.num_images} images cannot hold {args.num_clusters} clusters')
    if not 0 < args.target <= 1:
        parser.error(f'--target is a probability in (0, 1], got {args.target}')
    if args.sizes and (len(args.sizes) != args.num_clusters or sum(args.sizes) != args.num_images):
        parser.error(f'--sizes must be {args.num_clusters} numbers whose sum is {args.num_images}')
    for number in args.num_labelled:
        if not 0 < number <= args.num_images:
            parser.error(f'--num-labelled: {number} images cannot be drawn from {args.num_images} without replacement')
    return args


def table(num_images: int, num_clusters: int, advice: Advice, further: Sequence[int] = ()) -> list[str]:
    """Lines of text, one a number of labelled images.

    Args:
        num_images: N.
        num_clusters: K.
        advice: What is marked.
        further: Numbers beside the usual multiples of K.
    """
    marks = {advice.default_num_labelled: 'the paper\'s 4 K'}
    marks[advice.num_labelled] = '; '.join(filter(None, ('advised', marks.get(advice.num_labelled))))
    numbers = {*(times * num_clusters for times in TIMES), *further, *marks}
    return [f'{"n_l":>8} {"a cluster":>10} {"P_all":>8}',
            *(f'{number:8d} {number / num_clusters:10.1f} '
              f'{coverage_probability(number, num_clusters, num_images):8.4f}  {marks.get(number, "")}'.rstrip()
              for number in sorted(numbers) if number <= num_images)]


def main() -> None:
    """Print the table and the advice."""
    args = parse_args()
    advice = advise_num_labelled(args.num_clusters, args.num_images, args.target)
    print(f'{args.num_images} images in {args.num_clusters} equal clusters')
    print('\n'.join(table(args.num_images, args.num_clusters, advice, args.num_labelled)))
    print(f'advised: n_l = {advice.num_labelled}, P_all = {advice.coverage:.4f} (target {args.target:g})')
    if args.draws:
        small, larger = divmod(args.num_images, args.num_clusters)
        sizes = args.sizes or [small + (k < larger) for k in range(args.num_clusters)]
        for number in sorted({*(times * args.num_clusters for times in TIMES), *args.num_labelled}):
            if number <= args.num_images:
                print(f'n_l {number}: {coverage_frequency(sizes, number, args.draws):.3f} of {args.draws} draws')
    share = -(-advice.num_labelled // args.num_clusters)
    if share * args.num_clusters <= args.num_images:
        print(f'with prototypes, whose number is a multiple of K: n_l = {share * args.num_clusters}, '
              f'per_cluster = {share}')


if __name__ == '__main__':
    main()
