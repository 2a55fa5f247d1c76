"""Images and comparisons shared by the tests of the batched operations against Pillow."""
import numpy as np
import torch
from PIL import Image

B, H, W = 12, 30, 26


def pixels(channels=3, height=H, width=W, seed=0):
    """Images with smooth parts, edges and noise: (B, C, H, W) uint8."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(B, channels, 5, 5, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=(height, width), mode='bilinear')
    smooth += 0.1 * torch.randn(B, channels, height, width, generator=generator)
    smooth[:, :, :height // 3] = (smooth[:, :, :height // 3] > 0.5).float()
    return (smooth.clamp(0, 1) * 255).round().byte()


def to_pil(image):
    array = image.permute(1, 2, 0).numpy()
    return Image.fromarray(array[..., 0] if array.shape[-1] == 1 else array)


def to_levels(image):
    array = np.asarray(image, dtype=np.float32)
    return torch.from_numpy(array[None] if array.ndim == 2 else np.moveaxis(array, -1, 0).copy())


def gaps(result, images, reference):
    """Differences in grey levels between a batched result and a Pillow function of (image, row)."""
    expected = torch.stack([to_levels(reference(to_pil(image), row)) for row, image in enumerate(images)])
    assert result.shape == expected.shape and result.dtype == torch.float32
    return (result * 255 - expected).abs()


def uniform(low, high, seed=0):
    return torch.rand(B, generator=torch.Generator().manual_seed(seed)) * (high - low) + low
