"""Augmentations of both doors: batched operations (in memory) and PIL transforms (workers)."""
from .batched import BatchAffine, BatchColorJitter, BatchFlip, BatchGaussianBlur, BatchGrayscale, BatchSolarize
from .batched_crop import BatchCenterCrop, BatchRandomCrop, BatchRandomResizedCrop, BatchResize
from .batched_strong import BatchCutout, BatchFixMatchRandAugment, BatchSCANAugment, BatchSquareCutout
from .pil import FixMatchCutout, FixMatchRandAugment, PILGaussianBlur, SCANAugment, SquareCutout
from .stored import StoredView

__all__ = [
    'BatchAffine', 'BatchCenterCrop', 'BatchColorJitter', 'BatchCutout', 'BatchFixMatchRandAugment', 'BatchFlip',
    'BatchGaussianBlur', 'BatchGrayscale', 'BatchRandomCrop', 'BatchRandomResizedCrop', 'BatchResize',
    'BatchSCANAugment', 'BatchSolarize', 'BatchSquareCutout', 'FixMatchCutout', 'FixMatchRandAugment',
    'PILGaussianBlur', 'SCANAugment', 'SquareCutout', 'StoredView'
]
