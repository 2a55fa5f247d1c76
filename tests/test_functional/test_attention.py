"""Maps and nearest samples of cluster prototypes against loops."""
from __future__ import annotations

import math

import pytest
import torch

from mmcluster.functional.clustering.attention import prototype_indices, prototype_maps


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize('metric', ['cosine', 'dot'])
@pytest.mark.parametrize('clusters, height, width', [(3, 4, 5), (1, 7, 7), (6, 1, 2)])
def test_maps_equal_the_loop(metric: str, clusters: int, height: int, width: int) -> None:
    centers = torch.randn(clusters, 6, dtype=torch.float64)
    conv_map = torch.randn(6, height, width, dtype=torch.float64)
    maps = prototype_maps(centers, conv_map, metric)
    assert maps.shape == (clusters, height, width)
    for center, plane in zip(centers.tolist(), maps):
        cells = []
        for row in range(height):
            for column in range(width):
                cell = conv_map[:, row, column].tolist()
                value = sum(a * b for a, b in zip(center, cell))
                if metric == 'cosine':
                    value /= math.sqrt(sum(a * a for a in center) * sum(b * b for b in cell))
                cells.append(value)
        low, high = min(cells), max(cells)
        assert plane.flatten().tolist() == pytest.approx([(x - low) / (high - low) for x in cells], abs=1e-12)


def test_cosine_ignores_lengths_and_the_dot_product_does_not() -> None:
    centers, conv_map = torch.randn(3, 5), torch.randn(5, 4, 4)
    louder = conv_map * (.1 + torch.rand(1, 4, 4))
    torch.testing.assert_close(prototype_maps(7 * centers, louder), prototype_maps(centers, conv_map))
    assert not torch.allclose(prototype_maps(centers, louder, 'dot'), prototype_maps(centers, conv_map, 'dot'))


@pytest.mark.parametrize('metric', ['cosine', 'dot'])
def test_a_flat_map_is_zero(metric: str) -> None:
    conv_map = torch.ones(4, 3, 3) * torch.randn(4, 1, 1)
    assert prototype_maps(torch.randn(2, 4), conv_map, metric).abs().max() < 1e-6
    assert prototype_maps(torch.zeros(2, 4), torch.randn(4, 3, 3), metric).eq(0).all()
    assert prototype_maps(torch.randn(2, 4), torch.randn(4, 1, 1), metric).eq(0).all()


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(ValueError, match="'cosine' or 'dot'"):
        prototype_maps(torch.randn(2, 4), torch.randn(4, 3, 3), 'l2')


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_widened(dtype: torch.dtype) -> None:
    centers, conv_map, feats = (x.to(dtype) for x in (torch.randn(3, 8), torch.randn(8, 4, 4), torch.randn(20, 8)))
    with torch.autocast('cpu', torch.bfloat16):
        maps = prototype_maps(centers, conv_map)
        index = prototype_indices(centers, feats, 4)
    assert maps.dtype == torch.float32
    torch.testing.assert_close(maps, prototype_maps(centers.double(), conv_map.double()).float())
    assert torch.equal(index, prototype_indices(centers.double(), feats.double(), 4))


def test_indices_equal_the_loop_and_ties_go_to_the_first_row() -> None:
    centers, feats = torch.randn(3, 4, dtype=torch.float64), torch.randn(15, 4, dtype=torch.float64)
    feats[9] = feats[2]
    score = (centers @ feats.t()).tolist()
    for count in (1, 6, 15):
        expected = [sorted(range(15), key=lambda i: (-round(row[i], 12), i))[:count] for row in score]
        assert prototype_indices(centers, feats, count).tolist() == expected
    assert prototype_indices(centers, feats, 99).shape == (3, 15)
    assert prototype_indices(torch.ones(2, 3), torch.ones(5, 3), 3).tolist() == [[0, 1, 2]] * 2
