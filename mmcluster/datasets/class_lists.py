"""Class folders of the ImageNet subsets on which clustering methods are compared.

Deep Adaptive Clustering (Chang et al., ICCV 2017) introduced ImageNet-10 and ImageNet-Dogs. The ids are those of the
lists in the release of Contrastive Clustering (AAAI 2021), which later papers use. They agree with the ids of
ImageNet-10 in a second, unrelated public code base, and with the fifteen breeds that the MTEB benchmark names for
ImageNet-Dogs.
"""
from __future__ import annotations

from typing import Sequence, Union

# Name of the list -> WordNet id of the folder -> what it shows. Labels count from 0 in this order.
CLASS_LISTS: dict[str, dict[str, str]] = dict(
    imagenet10=dict(
        n02056570='king penguin', n02085936='Maltese dog', n02128757='snow leopard', n02690373='airliner',
        n02692877='airship', n03095699='container ship', n04254680='soccer ball', n04285008='sports car',
        n04467665='trailer truck', n07747607='orange'),
    imagenet_dogs=dict(
        n02085936='Maltese dog', n02086646='Blenheim spaniel', n02088238='basset', n02091467='Norwegian elkhound',
        n02097130='giant schnauzer', n02099601='golden retriever', n02101388='Brittany spaniel', n02101556='clumber',
        n02102177='Welsh springer spaniel', n02105056='groenendael', n02105412='kelpie',
        n02105855='Shetland sheepdog', n02107142='Doberman', n02110958='pug', n02112137='chow'))


def class_folders(classes: Union[str, Sequence[str]]) -> tuple[list[str], list[str]]:
    """Look up a list of classes.

    Args:
        classes: Name of a list, or the folders themselves.

    Returns:
        The folders and the names of their classes, K of each.
    """
    if not isinstance(classes, str):
        return list(classes), list(classes)
    if classes not in CLASS_LISTS:
        raise ValueError(f'there is no class list {classes!r}; known lists: {list(CLASS_LISTS)}. Give the names of the '
                         'class folders for any other choice.')
    return list(CLASS_LISTS[classes]), list(CLASS_LISTS[classes].values())
