"""A vision transformer that sees a part of the patches, and the decoder that guesses the others (MAE, PICI)."""
from __future__ import annotations

from typing import Any, NamedTuple, Optional, Union

import torch
from mmengine.model import BaseModule
from mmpretrain.models import MAEPretrainDecoder, MAEViT
from torch import Tensor, nn

from mmcluster.checks import require_choice
from mmcluster.functional.views.masked import num_visible, random_masking, sincos_position, take_tokens
from mmcluster.registry import MODELS

ARCHS = {
    'pici-tiny': dict(embed_dims=192, num_layers=4, num_heads=12, feedforward_channels=768),
    'pici-small': dict(embed_dims=384, num_layers=6, num_heads=12, feedforward_channels=1536),
    'pici-base': dict(embed_dims=768, num_layers=12, num_heads=12, feedforward_channels=3072),
}
TOKEN_STD = 0.02


class Tokens(NamedTuple):
    """What the encoder made of the visible patches.

    Attributes:
        tokens: (B, 1 + k, F) after the last norm, the class token first.
        mask: (B, L), 1 = removed.
        restore: (B, L) long, place of every patch in [visible, removed].
    """
    tokens: Tensor
    mask: Tensor
    restore: Tensor


@MODELS.register_module()
class MaskedViT(MAEViT):
    """PICI's encoder: mmpretrain's ``MAEViT`` whose plain call is the class token of the whole image.

    :meth:`masked` removes random patches first and encodes the rest alone, which is cheaper. Each image of a batch has
    its own mask, drawn from the global generator, which ``SeedHook`` seeds in every iteration.

    Args:
        arch: ``'pici-tiny'`` (192 wide, 4 layers), ``'pici-small'`` (384, 6) or ``'pici-base'`` (768, 12), each of 12
            heads; a name of mmpretrain; or a dict with ``embed_dims``, ``num_layers``, ``num_heads`` and
            ``feedforward_channels``.
        img_size: Side of the images, or (height, width).
        patch_size: Side of a patch; it divides the sides of the images.
        in_channels: C.
        mask_ratio: Share of patches that :meth:`masked` removes.
        test_mask_ratio: Share that the plain call removes in evaluation mode; the release has 0.5, so that its
            predictions are random.
        position: ``'sincos'``: a fixed table, as released. ``'learned'``: one that trains, as the paper has it.
        init_cfg: ``None``: Xavier uniform weights and zero biases in all linear layers and in the patch embedding,
            1 / 0 in layer norm, as released.
        kwargs: Options of mmpretrain's ``VisionTransformer``.

    Raises:
        ValueError: If patches do not tile the image, a ratio leaves no patch, or an option would not count.
    """

    def __init__(self, arch: Union[str, dict] = 'pici-small', img_size: Union[int, tuple[int, int]] = 224,
                 patch_size: int = 16, in_channels: int = 3, mask_ratio: float = 0.5, test_mask_ratio: float = 0.,
                 position: str = 'sincos', init_cfg: Optional[Union[dict, list[dict]]] = None, **kwargs: Any):
        grid = patch_grid(img_size, patch_size)
        for name, ratio in (('mask_ratio', mask_ratio), ('test_mask_ratio', test_mask_ratio)):
            _check_ratio(name, ratio, grid[0] * grid[1])
        fixed = sorted({'final_norm', 'out_indices', 'out_type', 'patch_cfg'} & set(kwargs))
        if fixed:
            raise ValueError(f'MaskedViT always gives the class token after the last norm, of patches side by side; '
                             f'drop {fixed}')
        require_choice('MaskedViT', ('sincos', 'learned'), position=position)
        super().__init__(ARCHS.get(arch, arch) if isinstance(arch, str) else arch, img_size, patch_size,
                         mask_ratio=mask_ratio, init_cfg=init_cfg,
                         patch_cfg=dict(in_channels=in_channels), **kwargs)
        _check_width('MaskedViT', self.embed_dims, self.arch_settings['num_heads'])
        self.grid = grid
        self.patch_size = patch_size
        self.in_channels = in_channels
        self.test_mask_ratio = test_mask_ratio
        self.out_channels = self.embed_dims
        if position == 'sincos':
            _fix_positions(self, 'pos_embed', grid)
        else:
            self.pos_embed.requires_grad = True

    def init_weights(self) -> None:
        """Initialise as released, or as ``init_cfg`` says."""
        if self.init_cfg:
            BaseModule.init_weights(self)
            return
        _init_transformer(self)
        weight = self.patch_embed.projection.weight.data
        weight.copy_(nn.init.xavier_uniform_(torch.empty(len(weight), weight[0].numel())).view(weight.shape))
        nn.init.normal_(self.cls_token, std=TOKEN_STD)
        if isinstance(self.pos_embed, nn.Parameter):
            nn.init.normal_(self.pos_embed, std=TOKEN_STD)

    def _prepare_pos_embed(self, *args: Any, **kwargs: Any) -> None:
        """Refuse a table of another size, by the ordinary check, where mmpretrain stretches it."""

    def encode(self, x: Tensor, mask_ratio: float) -> Tokens:
        """Encode the visible patches of images.

        Args:
            x: (B, C, H, W).
            mask_ratio: Share of patches that is removed; 0 keeps all of them, in their order.

        Returns:
            Tokens (B, 1 + k, F), mask (B, L) and places (B, L).

        Raises:
            ValueError: For images of another size than the network was built for.
        """
        if x.shape[2:] != tuple(self.img_size):
            raise ValueError(f'MaskedViT was built for images of {tuple(self.img_size)} pixels and got '
                             f'{tuple(x.shape[2:])}; set img_size, or resize in the data pipeline')
        size, (rows, columns) = len(x), self.grid
        x = self.patch_embed(x)[0] + self.pos_embed[:, 1:]
        if mask_ratio:
            keep, mask, restore = random_masking(torch.rand(size, rows * columns, device=x.device), mask_ratio)
            x = take_tokens(x, keep)
        else:
            mask = x.new_zeros(size, rows * columns, dtype=torch.float32)
            restore = torch.arange(rows * columns, device=x.device).expand(size, -1)
        cls_token = (self.cls_token + self.pos_embed[:, :1]).expand(size, -1, -1)
        x = torch.cat([cls_token, x], dim=1)
        for layer in self.layers:
            x = layer(x)
        return Tokens(self.ln1(x), mask, restore)

    def masked(self, x: Tensor) -> Tokens:
        """Encode what random masks of ``mask_ratio`` leave of images (B, C, H, W)."""
        return self.encode(x, self.mask_ratio)

    def forward(self, x: Tensor) -> Tensor:
        """Embed images.

        Args:
            x: (B, C, H, W).

        Returns:
            (B, F) class token of the whole image, or in evaluation of what ``test_mask_ratio`` leaves.
        """
        return self.encode(x, 0. if self.training else self.test_mask_ratio).tokens[:, 0]


@MODELS.register_module()
class MaskedDecoder(MAEPretrainDecoder):
    """PICI's decoder: mmpretrain's ``MAEPretrainDecoder`` with the released position table and initialisation.

    Args:
        embed_dim: F, width of the encoder's tokens.
        img_size: As the encoder's.
        patch_size: As the encoder's.
        in_channels: C.
        decoder_embed_dim: Width inside.
        decoder_depth: Layers.
        decoder_num_heads: Heads of attention.
        init_cfg: As the encoder's.
        kwargs: Options of mmpretrain's decoder.
    """

    def __init__(self, embed_dim: int = 384, img_size: Union[int, tuple[int, int]] = 224, patch_size: int = 16,
                 in_channels: int = 3, decoder_embed_dim: int = 512, decoder_depth: int = 8,
                 decoder_num_heads: int = 16, init_cfg: Optional[Union[dict, list[dict]]] = None, **kwargs: Any):
        grid = patch_grid(img_size, patch_size)
        _check_width('MaskedDecoder', decoder_embed_dim, decoder_num_heads)
        super().__init__(grid[0] * grid[1], patch_size, in_channels, embed_dim, decoder_embed_dim, decoder_depth,
                         decoder_num_heads, init_cfg=init_cfg, **kwargs)
        self.grid = grid
        self.embed_dim = embed_dim
        self.patch_size = patch_size
        self.in_channels = in_channels
        _fix_positions(self, 'decoder_pos_embed', grid)

    def init_weights(self) -> None:
        """Initialise as released, or as ``init_cfg`` says."""
        if self.init_cfg:
            BaseModule.init_weights(self)
            return
        _init_transformer(self)
        nn.init.normal_(self.mask_token, std=TOKEN_STD)

    def forward(self, tokens: Tensor, restore: Tensor) -> Tensor:
        """Predict the pixels of all patches.

        Args:
            tokens: (B, 1 + k, F), from :meth:`MaskedViT.masked`.
            restore: (B, L) long.

        Returns:
            (B, L, p p C).
        """
        return super().forward(tokens, restore)


def patch_grid(img_size: Union[int, tuple[int, int]], patch_size: int) -> tuple[int, int]:
    """Patches down and across an image.

    Raises:
        ValueError: If patches do not tile the image.
    """
    height, width = (img_size, img_size) if isinstance(img_size, int) else img_size
    if patch_size < 1 or height % patch_size or width % patch_size or not height * width:
        raise ValueError(f'patches of {patch_size} pixels do not tile an image of {height} x {width}; choose a '
                         f'patch_size that divides both sides, or resize the images')
    return height // patch_size, width // patch_size


def _check_ratio(name: str, ratio: float, num_patches: int) -> None:
    """Refuse a ratio that is none, or that leaves nothing to see."""
    if not 0 <= ratio < 1 or num_visible(num_patches, ratio) < 1:
        raise ValueError(f'MaskedViT: {name}={ratio} leaves none of {num_patches} patches; it is the share that is '
                         f'removed, in [0, 1), and at least one patch must stay: lower it, or take smaller patches')


def _check_width(owner: str, width: int, num_heads: int) -> None:
    """Refuse a width that heads or the position table cannot share."""
    if width % num_heads or width % 4:
        raise ValueError(f'{owner}: the width {width} must be a multiple of the {num_heads} heads and of 4')


def _init_transformer(module: BaseModule) -> None:
    """Xavier uniform weights and zero biases in linear layers, 1 / 0 in layer norm."""
    for part in module.modules():
        if isinstance(part, nn.Linear):
            nn.init.xavier_uniform_(part.weight)
            nn.init.zeros_(part.bias)
        elif isinstance(part, nn.LayerNorm):
            nn.init.ones_(part.weight)
            nn.init.zeros_(part.bias)


def _fix_positions(module: nn.Module, name: str, grid: tuple[int, int]) -> None:
    """Put the sine and cosine table (1, 1 + L, D), column first, in the place of a parameter, as a buffer."""
    width = getattr(module, name).shape[-1]
    delattr(module, name)
    module.register_buffer(name, sincos_position(width, grid).float()[None])
