"""A PICI of a few hundred weights for images (B, 1, 4, 4), and its slow transcription."""
from __future__ import annotations

from itertools import permutations
from typing import Any

import torch
from small_models import K, N
from torch import Tensor, nn

from mmcluster.models.clusterers import PICI
from mmcluster.registry import MODELS

ARCH = dict(embed_dims=8, num_layers=1, num_heads=2, feedforward_channels=16)
PATCHES = dict(img_size=4, patch_size=2, in_channels=1)
LABELS = torch.randint(K, (N, 2), generator=torch.Generator().manual_seed(7))


def pici(seed: int = 0, **options: Any) -> PICI:
    """The method with filled pseudo-labels and clusters that differ between images."""
    torch.manual_seed(seed)
    model = MODELS.build(dict(dict(
        type='PICI', bank=dict(num_samples=N), backbone=dict(type='MaskedViT', arch=ARCH, **PATCHES),
        projector=dict(type='MLPProjector', in_channels=8, hid_channels=8, out_channels=6, norm=False),
        head=dict(type='MLPClusterHead', num_clusters=K),
        decoder=dict(type='MaskedDecoder', embed_dim=8, decoder_embed_dim=4, decoder_depth=1, decoder_num_heads=1,
                     **PATCHES)), **options))
    model.init_weights()
    nn.init.normal_(model.head.fc2.weight, std=2.)
    model.bank.fill(view_label=LABELS)
    model.train()
    return model


def slow_mask(network: nn.Module, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """One image (1, H, W): tokens of the patches with the least noise, and which are removed."""
    size = network.patch_size
    patches = [x[:, i:i + size, j:j + size] for i in range(0, x.shape[1], size) for j in range(0, x.shape[2], size)]
    order = sorted(range(len(patches)), key=noise.tolist().__getitem__)
    keep = order[:int(len(order) * (1 - network.mask_ratio))]
    weight, bias = network.patch_embed.projection.weight, network.patch_embed.projection.bias
    tokens = [weight.flatten(1) @ patches[i].flatten() + bias + network.pos_embed[0, 1 + i] for i in keep]
    x = torch.stack([network.cls_token[0, 0] + network.pos_embed[0, 0], *tokens])[None]
    for layer in network.layers:
        x = layer(x)
    removed = torch.tensor([float(i not in keep) for i in range(len(patches))])
    return network.ln1(x)[0], removed


def slow_matched(labels: list[int], clusters: list[int]) -> list[int]:
    """Labels renamed by the permutation that agrees most often with the clusters."""
    best = max(permutations(range(K)), key=lambda names: sum(names[p] == q for p, q in zip(labels, clusters)))
    return [best[p] for p in labels]
