"""Diffusion maps against numpy's eigenvectors, and on graphs of several parts."""
import numpy as np
import pytest
from scipy.sparse import block_diag, csr_matrix
from sklearn.datasets import make_circles
from sklearn.neighbors import kneighbors_graph

from mmcluster.functional.clustering import spectral


def graph(x, near=8):
    found = kneighbors_graph(x, near)
    return (found + found.T) / 2


@pytest.mark.parametrize('dense_rows', [300, 0])
def test_distances_are_those_of_numpy_s_eigenvectors(dense_rows, monkeypatch):
    monkeypatch.setattr(spectral, 'DENSE_ROWS', dense_rows)
    weights = graph(np.random.RandomState(0).randn(120, 3))
    walk = weights.toarray() / weights.toarray().sum(1, keepdims=True)
    values, vectors = np.linalg.eig(walk)
    order = np.argsort(-values.real)[1:5]
    expected = vectors.real[:, order] * values.real[order] ** 6
    degree = np.asarray(weights.sum(1)).ravel()
    expected /= np.sqrt((degree[:, None] * vectors.real[:, order] ** 2).sum(0))     # unit in the walk's own product
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = spectral.diffusion_map(weights, 4)
    assert np.allclose(found @ found.T, expected @ expected.T, atol=2e-2)
    assert np.array_equal(found, spectral.diffusion_map(weights, 4))


@pytest.mark.parametrize('dense_rows', [300, 0])
def test_parts_of_a_graph_come_apart(dense_rows, monkeypatch):
    monkeypatch.setattr(spectral, 'DENSE_ROWS', dense_rows)
    parts = [graph(np.random.RandomState(seed).randn(40, 3)) for seed in range(3)]
    found = spectral.diffusion_map(csr_matrix(block_diag(parts)), 2).reshape(3, 40, 2)
    assert np.allclose(found, found[:, :1], atol=1e-2), 'one place for each part'
    assert np.allclose(found[:, 0] @ found[:, 0].T, [[1, -.5, -.5], [-.5, 1, -.5], [-.5, -.5, 1]], atol=1e-2)


def test_rings_that_no_centre_separates():
    x, y = make_circles(400, factor=0.4, noise=0.04, random_state=0)
    assert len({(label, side) for label, side in zip(y, spectral.diffusion_map(graph(x), 1)[:, 0] > 0)}) == 2
