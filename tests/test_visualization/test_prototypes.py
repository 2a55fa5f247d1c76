"""Prototypes of clusters, maps of backbones, and pictures of both."""
import numpy as np
import pytest
import torch
from matplotlib import colormaps
from torch import nn
from torch.nn.functional import normalize

from mmcluster.functional.clustering.attention import prototype_maps
from mmcluster.models import ViewPreprocessor
from mmcluster.models.backbones import GCCResNet, SmallCNN, WideResNet
from mmcluster.models.clusterers.base import pooled
from mmcluster.registry import MODELS
from mmcluster.visualization import attention, feature_map, find_prototypes, image_grid, map_centers, overlay, to_pixels


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


# ---- prototypes

@pytest.mark.parametrize('center_ratio, count', [(0.5, 3), (1., 6)])
def test_a_prototype_is_the_mean_of_its_surest_rows(center_ratio, count):
    embed, score = torch.randn(25, 5), torch.rand(25, 4)
    found = find_prototypes(embed, score, 2, center_ratio)
    unit = normalize(embed, dim=1)
    for cluster in range(4):
        surest = sorted(range(25), key=lambda row: -score[row, cluster].item())[:count]
        assert found.members[cluster].tolist() == surest
        center = unit[surest].mean(0)
        torch.testing.assert_close(found.centers[cluster], center)
        similar = sorted(range(25), key=lambda row: -float(unit[row] @ center))[:2]
        assert found.top[cluster].tolist() == similar


def test_lengths_of_rows_do_not_matter():
    embed, score = torch.randn(20, 5), torch.rand(20, 3)
    found, longer = (find_prototypes(x, score) for x in (embed, embed * (0.1 + torch.rand(20, 1))))
    torch.testing.assert_close(found.centers, longer.centers)
    assert torch.equal(found.top, longer.top) and found.top.shape == (3, 3)


def test_fewer_rows_than_clusters_are_refused():
    with pytest.raises(ValueError, match='3 rows cannot be shared among 4 clusters'):
        find_prototypes(torch.randn(3, 2), torch.rand(3, 4))


# ---- maps

@pytest.mark.parametrize('network, size, shape', [
    (SmallCNN(3, (4, 8)), 8, (8, 4, 4)), (GCCResNet(18), 32, (512, 3, 3)), (WideResNet(10, 1), 8, (64, 2, 2)),
    (WideResNet(37, 2), 16, (256, 1, 1)),
    (MODELS.build(dict(type='ResNet_CIFAR', depth=18)), 32, (512, 4, 4)),
    (MODELS.build(dict(type='ResNet', depth=18, out_indices=(2, 3))), 64, (512, 2, 2))],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else None)
def test_the_mean_of_a_map_is_the_vector(network, size, shape):
    network.eval()
    x = torch.randn(2, 3, size, size)
    found = feature_map(network, x)
    assert found.shape == (2, *shape) and not found.requires_grad
    torch.testing.assert_close(found.mean(dim=(2, 3)), pooled(network(x), network).detach())


def test_a_backbone_without_a_map_says_so():
    with pytest.raises(ValueError, match='Flatten has no map of places .* feature_map'):
        feature_map(nn.Flatten(), torch.randn(2, 3, 4, 4))


@pytest.mark.parametrize('metric', ['cosine', 'dot'])
def test_centers_of_maps(metric):
    vectors = torch.randn(3, 4, 6, dtype=torch.float64)
    centers = map_centers(vectors, metric)
    for group, center in zip(vectors, centers):
        rows = [row / row.norm() if metric == 'cosine' else row for row in group]
        torch.testing.assert_close(center, sum(rows) / len(rows))


@pytest.mark.parametrize('metric', ['cosine', 'dot'])
def test_attention_looks_for_the_cluster_of_each_image(metric):
    centers, maps = torch.randn(3, 6), torch.randn(5, 6, 2, 3)
    cluster = torch.tensor([2, 0, 1, 1, 2])
    same = attention(centers, maps, cluster, (2, 3), metric)
    for plane, conv_map, number in zip(same, maps, cluster):
        torch.testing.assert_close(plane, prototype_maps(centers, conv_map, metric)[number])
    larger = attention(centers, maps, cluster, (8, 12), metric)
    assert larger.shape == (5, 8, 12) and larger.min() >= 0 and larger.max() <= 1
    torch.testing.assert_close(larger[:, 0, 0], same[:, 0, 0])
    torch.testing.assert_close(larger[:, -1, -1], same[:, -1, -1])


def test_attention_finds_the_place_of_a_pattern():
    maps = torch.rand(1, 4, 5, 5)
    maps[0, 2] = 0.1
    maps[0, 2, 1, 3] = 5.
    heat = attention(torch.eye(4), maps, torch.tensor([2]), (50, 50))[0]
    row, column = divmod(int(heat.flatten().argmax()), 50)
    assert 10 <= row < 20 and 30 <= column < 40


# ---- pictures

@pytest.mark.parametrize('mean, std', [((77.8,), (95.9,)), ((125., 100., 90.), (50., 60., 70.))])
def test_normalisation_is_undone(mean, std):
    images = torch.randint(256, (4, 6, 7, len(mean)), dtype=torch.uint8)
    preprocessor = ViewPreprocessor(mean, std)
    view = preprocessor._normalize(images.permute(0, 3, 1, 2) / 255.)
    pixels = to_pixels(view, preprocessor)
    assert pixels.shape == (4, 6, 7, 3)
    np.testing.assert_allclose(pixels, np.broadcast_to(images / 255., pixels.shape), atol=1e-6)


def test_features_are_no_images():
    with pytest.raises(ValueError, match='there are no images to show'):
        to_pixels(torch.randn(4, 6), ViewPreprocessor([0.], [1.]))


def test_an_overlay_is_six_parts_image_and_four_parts_color():
    pixels, heat = np.random.default_rng(0).random((2, 3, 4, 3)), np.random.default_rng(1).random((2, 3, 4))
    mixed = overlay(pixels, heat)
    np.testing.assert_allclose(mixed, 0.6 * pixels + 0.4 * colormaps['jet'](heat)[..., :3])
    low, high = overlay(np.zeros((2, 3)), np.array([0., 1.]))
    assert low[2] > low[0] == low[1] == 0 and high[0] > high[2] == high[1] == 0, 'from blue to red'


@pytest.mark.parametrize('side, times', [(0, 1), (5, 1), (6, 2), (12, 3)])
def test_a_grid_puts_every_image_in_its_place(side, times):
    images = np.random.default_rng(0).random((2, 3, 5, 4, 3))
    grid = image_grid(images, side, gap=1)
    height, width = 5 * times + 2, 4 * times + 2
    assert grid.shape == (2 * height, 3 * width, 3) and grid.dtype == np.uint8
    assert (grid[0] == 255).all() and (grid[:, -1] == 255).all()
    for row in range(2):
        for column in range(3):
            part = grid[row * height + 1:(row + 1) * height - 1, column * width + 1:(column + 1) * width - 1]
            assert np.array_equal(part[::times, ::times], np.rint(images[row, column] * 255).astype(np.uint8))
            assert np.array_equal(part, part[::times, ::times].repeat(times, 0).repeat(times, 1))
