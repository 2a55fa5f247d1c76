"""Data sets, image sources and samplers."""
from typing import TypeVar

from mmcluster.registry import FUNCTIONS

from .cifar import CIFAR10Source, CIFAR100Source
from .decode import UnreadableImageError, decode_image
from .folder import ClassFolderSource, FolderSource
from .imbalanced import ImbalancedSource
from .indexed import IndexedDataset
from .listed import ListedSource
from .samplers import StreamSampler, SweepSampler
from .sources import ArraySource, DigitsSource, ImageSource
from .stl10 import STL10Source
from .svhn import SVHNSource
from .tar_files import TarSource
from .tiny_imagenet import TinyImageNetSource
from .transforms import *  # noqa: F403
from .trial import TrialSource

_Item = TypeVar('_Item')


@FUNCTIONS.register_module()
def identity(item: _Item) -> _Item:
    """Return what the data set made of a list of keys: the ``collate_fn`` of loaders with ``batch_size=None``."""
    return item


__all__ = [
    'ArraySource', 'CIFAR10Source', 'CIFAR100Source', 'ClassFolderSource', 'DigitsSource', 'FolderSource',
    'ImageSource', 'ImbalancedSource', 'IndexedDataset', 'ListedSource', 'STL10Source', 'SVHNSource', 'StreamSampler',
    'SweepSampler', 'TarSource', 'TinyImageNetSource', 'TrialSource', 'UnreadableImageError', 'decode_image', 'identity'
]
