"""Augmentations of both doors: batched operations (in memory) and PIL transforms (workers)."""
from .batched import (BatchAffine, BatchColorJitter, BatchFlip, BatchGaussianBlur, BatchGrayscale, BatchRandomCrop,
                      BatchRandomResizedCrop, BatchResize, BatchSolarize)
from .batched_fixmatch import BatchCutout, BatchFixMatchRandAugment
from .pil import FixMatchCutout, FixMatchRandAugment

__all__ = [
    'BatchAffine', 'BatchColorJitter', 'BatchCutout', 'BatchFixMatchRandAugment', 'BatchFlip', 'BatchGaussianBlur',
    'BatchGrayscale', 'BatchRandomCrop', 'BatchRandomResizedCrop', 'BatchResize', 'BatchSolarize', 'FixMatchCutout',
    'FixMatchRandAugment'
]
