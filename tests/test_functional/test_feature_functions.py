"""Trees of merges, near-duplicates, maps and scores of frozen features."""
import numpy as np
import pytest
from scipy.cluster.hierarchy import cut_tree as scipy_cut
from scipy.cluster.hierarchy import is_valid_linkage, linkage

from mmcluster.functional.clustering.cluster_scores import prediction_strength
from mmcluster.functional.clustering.duplicates import duplicate_groups, near_pairs
from mmcluster.functional.clustering.layout import map_layout
from mmcluster.functional.clustering.merge_tree import cut_tree, ward_tree
from mmcluster.functional.clustering.metrics import clustering_metrics
from mmcluster.functional.losses.temi import temi_loss


def test_tree_of_rows_is_scipys():
    x = np.random.RandomState(0).randn(60, 4)
    tree = ward_tree(x, np.ones(60))
    assert np.allclose(tree, linkage(x, 'ward')) and is_valid_linkage(tree)


def test_a_weight_is_that_many_rows():
    random = np.random.RandomState(1)
    x, sizes = random.randn(12, 3), random.randint(1, 6, 12)
    copies = linkage(np.repeat(x, sizes, axis=0), 'ward')
    assert np.allclose(ward_tree(x, sizes)[:, 2:], copies[-11:, 2:])


@pytest.mark.parametrize('groups', [1, 2, 5, 20, 99])
def test_cuts_are_scipys(groups):
    x = np.random.RandomState(0).randn(20, 4)
    tree = ward_tree(x, np.ones(20))
    own, other = cut_tree(tree, groups), scipy_cut(tree, min(groups, 20))[:, 0]
    assert clustering_metrics(own, other)['ari'] == 1 and len(np.unique(own)) == min(groups, 20)
    first = [np.flatnonzero(own == group)[0] for group in range(own.max() + 1)]
    assert first == sorted(first)


def test_trees_of_few_and_empty_clusters():
    assert ward_tree(np.zeros((1, 2)), np.ones(1)).shape == (0, 4) and (cut_tree(np.zeros((0, 4)), 3) == 0).all()
    tree = ward_tree(np.array([[0., 0], [9, 9], [1, 0]]), np.array([5, 0, 5]))
    assert tree[0, 2] == 0 and np.isfinite(tree).all() and tree[-1, 3] == 10


def test_near_pairs_are_those_of_all_pairs(monkeypatch):
    monkeypatch.setattr('mmcluster.functional.clustering.duplicates.SIMILARITIES', 200)
    x = np.random.RandomState(0).randn(70, 3)
    x[10] = 0
    unit = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)
    expected = np.argwhere(np.triu(unit @ unit.T >= 0.95, 1))
    found = near_pairs(x, 0.95)
    assert np.array_equal(found[np.lexsort(found.T[::-1])], expected) and len(expected) > 20


def test_groups_of_near_duplicates():
    random = np.random.RandomState(0)
    x = random.randn(200, 64)
    x[[5, 77, 150]] = x[20] + 0.01 * random.randn(3, 64)
    x[100] = 3 * x[99]
    group = duplicate_groups(x, 0.98, np.zeros(200, int))
    assert set(np.flatnonzero(group == 0)) == {5, 20, 77, 150} and set(np.flatnonzero(group == 1)) == {99, 100}
    assert (group >= 0).sum() == 6
    apart = np.arange(200) % 2
    assert set(np.flatnonzero(duplicate_groups(x, 0.98, apart) >= 0)) == {5, 77, 20, 150}


def test_a_map_keeps_groups_together_and_repeats_itself(monkeypatch):
    monkeypatch.setattr('mmcluster.functional.clustering.layout.SAMPLE', 200)
    random = np.random.RandomState(0)
    y = random.randint(5, size=600)
    x = (random.randn(5, 24)[y] * 2 + 0.3 * random.randn(600, 24)).astype(np.float32)
    place = map_layout(x)
    assert place.shape == (600, 2) and np.abs(place).max() <= 1.02 and np.array_equal(place, map_layout(x))
    center = np.stack([place[y == own].mean(0) for own in range(5)])
    assert (np.linalg.norm(place[:, None] - center, axis=2).argmin(1) == y).mean() > 0.98


@pytest.mark.parametrize('x', [np.zeros((40, 5)), np.random.RandomState(0).randn(2, 5), np.zeros((1, 3)),
                               np.random.RandomState(0).randn(30, 1), np.random.RandomState(0).randn(12, 40)])
def test_maps_of_little(x):
    place = map_layout(x.astype(np.float32))
    assert place.shape == (len(x), 2) and np.isfinite(place).all() and np.abs(place).max() <= 1.02


def test_prediction_strength_is_the_share_of_pairs_that_stay_together():
    own = np.array([0, 0, 0, 1, 1, 2])
    assert prediction_strength(own, own) == 1
    assert prediction_strength(own, np.array([0, 0, 1, 2, 2, 0])) == pytest.approx((1 / 3 + 1) / 2)
    assert prediction_strength(np.arange(4), np.zeros(4, int)) == 0


def test_temi_of_a_cluster_that_nobody_predicts_is_finite():
    import torch
    logits = torch.full((2, 2, 8, 3), -40.0)
    logits[..., 0] = 40
    loss = temi_loss(logits.requires_grad_(), logits, torch.tensor([[1.0, 0, 0]] * 2))
    loss.total.backward()
    assert loss.total.isfinite() and logits.grad.isfinite().all()
