"""Methods of scikit-learn: what is passed on is what they say by themselves."""
import numpy as np
import pytest
import torch
from sklearn.cluster import AgglomerativeClustering, KMeans, SpectralClustering
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from mmcluster.functional.clustering import classical
from mmcluster.functional.clustering.classical import METHODS, classical_labels
from mmcluster.functional.clustering.metrics import clustering_metrics

BLOBS = torch.cat([torch.randn(30, 60, generator=torch.Generator().manual_seed(i)) * 0.1 + 3 * torch.eye(60)[i] + 1
                   for i in range(3)])
TRUTH = torch.arange(3).repeat_interleave(30)


@pytest.mark.parametrize('method', METHODS)
def test_every_method_finds_blobs(method):
    labels = classical_labels(BLOBS, method, 3, options=dict(n_neighbors=20) if method == 'spectral' else None)
    assert labels.dtype == torch.long and labels.shape == (90,)
    assert clustering_metrics(TRUTH, labels)['acc'] == 1


def test_as_by_hand():
    x = load_digits().data.astype(np.float32)[:300]
    rows = torch.from_numpy(x)
    assert np.array_equal(classical_labels(rows, 'kmeans', 10, 3).numpy(),
                          KMeans(10, n_init=10, random_state=3).fit_predict(x))
    assert np.array_equal(classical_labels(rows, 'agglomerative', 10).numpy(), AgglomerativeClustering(10).fit_predict(x))
    assert np.array_equal(classical_labels(rows, 'spectral', 10, 1, dict(n_neighbors=5)).numpy(), SpectralClustering(
        10, affinity='nearest_neighbors', n_neighbors=5, random_state=1).fit_predict(x))
    reduced = PCA(5, random_state=0).fit_transform(x)
    assert np.array_equal(classical_labels(rows, 'pca_kmeans', 10, 0, dict(pca__n_components=5)).numpy(),
                          KMeans(10, n_init=10, random_state=0).fit_predict(reduced))


def test_half_precision():
    assert clustering_metrics(TRUTH, classical_labels(BLOBS.bfloat16(), 'kmeans', 3))['acc'] == 1


@pytest.mark.parametrize('x, method, options, message', [
    (BLOBS, 'kmean', None, "no classical method 'kmean'; there are .'agglomerative'"),
    (BLOBS, 'kmeans', dict(tolerance=1), "Invalid parameter 'tolerance'"), (BLOBS - 9, 'nmf', None, 'no negative entries'),
    (BLOBS * float('nan'), 'kmeans', None, 'kmeans')])
def test_bad_input(x, method, options, message):
    with pytest.raises(ValueError, match=message):
        classical_labels(x, method, 3, options=options)


def test_too_many_pairs(monkeypatch):
    monkeypatch.setattr(classical, 'MAX_PAIRS_ROWS', 80)
    with pytest.raises(ValueError, match='agglomerative compares every two of 90 rows.*take birch'):
        classical_labels(BLOBS, 'agglomerative', 3)
