"""Clustering of frozen features, on scikit-learn's digits and made-up blobs."""
import warnings

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, make_blobs

from mmcluster.apis import choose_k as sweep
from mmcluster.apis.feature_methods import LIMITS, METHODS, usual_method
from mmcluster.apis.feature_model import FeatureModel
from mmcluster.apis.feature_reducer import FeatureReducer
from mmcluster.apis.features_clusterer import FeatureClusterer
from mmcluster.functional.clustering.metrics import clustering_metrics
from mmcluster.functional.clustering.neighbors import nearest


@pytest.fixture(scope='module')
def digits():
    data = load_digits()
    return data.data.astype(np.float32), data.target


def blobs(count, rows=1200, width=32, seed=0, spread=2.0):
    return make_blobs(rows, n_features=width, centers=count, cluster_std=spread, random_state=seed)


def accuracy(target, labels):
    return clustering_metrics(target, labels, ami=False)['acc']


# ---- the reducer

def test_whitened_rows_are_unit_uncorrelated_and_more_alike_in_variance():
    x = np.random.RandomState(0).randn(4000, 40) @ np.random.RandomState(1).randn(40, 40) + 1e4
    reducer = FeatureReducer(20).fit(x)
    projected = (x - reducer.mean_) @ reducer.weight_
    covariance = np.cov(projected.T)
    assert np.allclose(covariance, np.diag(np.diag(covariance)), atol=1e-3) and covariance[0, 0] == pytest.approx(1)
    variance = np.linalg.eigvalsh(np.cov(x.T))[::-1][:20]
    assert np.allclose(np.diag(covariance), (variance / variance[0]) ** 0.3, rtol=1e-3)
    assert np.allclose(np.linalg.norm(reducer.transform(x), axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(('rows', 'expected'), [(50, 8), (300, 37), (6000, 64)])
def test_the_number_of_dimensions_follows_the_rows(rows, expected):
    x = np.random.RandomState(0).randn(rows, 512) * np.geomspace(1, 0.001, 512)
    reducer = FeatureReducer().fit(x.astype(np.float32))
    assert reducer.weight_.shape[1] == expected and f'{expected} of 512' in reducer.reason_


@pytest.mark.parametrize(('count', 'expected'), [(3, 2), (7, 6)])
def test_noise_is_not_whitened(count, expected):
    assert FeatureReducer().fit(blobs(count)[0]).weight_.shape[1] == expected


def test_wide_features_have_the_components_that_a_full_decomposition_finds(monkeypatch):
    x = (np.random.RandomState(0).randn(200, 300) * np.geomspace(10, 0.01, 300)).astype(np.float32)
    full = FeatureReducer(8).fit(x).transform(x)
    monkeypatch.setattr('mmcluster.functional.clustering.whitening.FULL_WIDTH', 100)
    iterated = FeatureReducer(8).fit(x).transform(x)
    assert ((iterated * full).sum(1) > 0.999).all()


def test_rows_may_be_mapped_from_a_file(tmp_path, digits):
    np.save(tmp_path / 'x.npy', digits[0].astype(np.float16))
    mapped = np.load(tmp_path / 'x.npy', mmap_mode='r')
    expected = FeatureClusterer(10).fit(digits[0]).labels_
    assert (FeatureClusterer(10).fit(mapped).labels_ == expected).all()


# ---- methods

@pytest.mark.parametrize('method', [name for name in METHODS if name != 'hdbscan'])
def test_methods_find_digits(digits, method):
    model = FeatureClusterer(10, method).fit(digits[0])
    assert accuracy(digits[1], model.labels_) > 0.7
    assert (np.diff(np.bincount(model.labels_)) <= 0).all(), 'numbered by size'
    assert (FeatureClusterer(10, method).fit(digits[0]).labels_ == model.labels_).all()


def test_hdbscan_leaves_rows_out():
    x, y = blobs(5, spread=1.0)
    x = np.concatenate([x, np.random.RandomState(0).uniform(-40, 40, (20, 32))])
    model = FeatureClusterer(method='hdbscan').fit(x)
    assert model.n_clusters_ == 5 and accuracy(y, model.labels_[:len(y)]) > 0.9
    out = model.labels_ == -1
    assert out[-20:].mean() > 0.5
    found = model.assignment_
    assert (found.outlier[out] == 1).all() and (found.confidence[out] == 0).all() and (found.second[out] >= 0).all()


@pytest.mark.parametrize('method', LIMITS)
def test_methods_of_all_pairs_refuse_many_rows_with_a_remedy(method, monkeypatch, digits):
    monkeypatch.setitem(LIMITS, method, 100)
    with pytest.raises(ValueError, match='use kmeans or scan'):
        FeatureClusterer('auto' if method == 'hdbscan' else 10, method).fit(digits[0])


@pytest.mark.parametrize('method', ['kmeans', 'scan', 'temi'])
def test_many_rows_are_seeded_from_a_sample(method, monkeypatch):
    monkeypatch.setattr('mmcluster.apis.feature_methods.SEEDED_ROWS', 300)
    x, y = blobs(6)
    assert accuracy(y, FeatureClusterer(6, method).fit(x).labels_) > 0.95


@pytest.mark.parametrize('method', ['scan', 'temi'])
def test_heads_agree_on_neighbors_more_often_than_their_start(digits, method):
    def agreeing(name):
        model = FeatureClusterer(10, name).fit(digits[0])
        index = nearest(torch.from_numpy(model.reduced_), 5, include_self=False).index
        return (model.labels_[index] == model.labels_[:, None]).mean()

    assert agreeing(method) > agreeing('kmeans')


# ---- what it says of rows

@pytest.mark.parametrize('width', [4, 32])
def test_assignments_agree_with_each_other(width):
    x, y = blobs(4, width=width)
    model = FeatureClusterer(4).fit(x)
    found, prob = model.assignment_, model.predict_proba(x)
    assert np.allclose(prob.sum(1), 1, atol=1e-5) and (prob.argmax(1) == model.labels_).all()
    assert np.allclose(found.confidence, prob.max(1)) and (found.second != found.cluster).all()
    assert np.allclose(found.margin, np.sort(prob)[:, -1] - np.sort(prob)[:, -2], atol=1e-6)
    nearest = np.linalg.norm(model.reduced_[:, None] - model.cluster_centers_, axis=2).min(1)
    assert np.allclose(found.distance, nearest, atol=1e-5)
    assert found.outlier.min() == 0 and found.outlier.max() == 1 and 0.3 < (found.outlier == 0).mean() < 0.7


def test_far_rows_belong_to_none():
    x, _ = blobs(4, spread=1.0)
    model = FeatureClusterer(4).fit(x)
    far = np.random.RandomState(1).uniform(-200, 200, (50, 32))
    assert (model.assign(far).cluster == -1).mean() > 0.9 and (model.predict(far) >= 0).all()
    assert (model.assign(x).cluster == -1).mean() < 0.03


def test_save_and_load(tmp_path, digits):
    model = FeatureClusterer((8, 12)).fit(digits[0])
    model.save(tmp_path / 'model.npz')
    again = FeatureClusterer.load(tmp_path / 'model.npz')
    for own, other in zip(model.assign(digits[0]), again.assign(digits[0])):
        assert np.array_equal(own, other)
    assert again.choice_ == model.choice_ and again.n_clusters == (8, 12) and np.array_equal(again.tree_, model.tree_)
    assert [path.name for path in tmp_path.iterdir()] == ['model.npz']


def test_a_broken_model_is_named(tmp_path, digits):
    path = tmp_path / 'model.npz'
    FeatureClusterer(3).fit(digits[0]).save(path)
    whole = path.read_bytes()
    for broken in (whole[:len(whole) // 2], b'', b'nothing'):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match='cluster the images again'):
            FeatureModel.load(path)
    np.savez(path, meta=np.array('{"format": 99}'))
    with pytest.raises(ValueError, match='format 99'):
        FeatureModel.load(path)


# ---- bad input

@pytest.mark.parametrize(('x', 'options', 'message'), [
    (np.zeros((5, 3)), dict(n_clusters=8), 'at most 5'), (np.zeros((1, 3)), {}, 'at least 2'),
    (np.ones((9, 3)), dict(n_clusters=2), 'same features'), (np.full((9, 3), np.nan), {}, 'row 0'),
    (np.zeros(9), {}, 'array'), (np.zeros((9, 3)), dict(n_clusters=(20, 30)), 'below 9'),
    (np.zeros((9, 3)), dict(n_clusters=0), 'from 1'), (np.zeros((9, 3)), dict(method='magic'), 'one of'),
    (np.zeros((9, 3)), dict(method='hdbscan', n_clusters=3), 'itself'), (np.eye(9), dict(reduce='all'), 'reduce')])
def test_bad_input(x, options, message):
    with pytest.raises(ValueError, match=message):
        FeatureClusterer(**options).fit(x if options.get('n_clusters') != (20, 30) else np.eye(9))


def test_one_cluster_and_equal_rows():
    model = FeatureClusterer(1).fit(np.ones((5, 3)))
    assert (model.labels_ == 0).all() and (model.assignment_.second == -1).all()


def test_too_few_distinct_rows():
    with pytest.warns(UserWarning, match='of 5 clusters'):
        model = FeatureClusterer(5).fit(np.repeat(np.eye(3), 10, axis=0))
    assert model.n_clusters_ == 3 and accuracy(np.repeat(range(3), 10), model.labels_) == 1


def test_features_of_another_width(digits):
    model = FeatureClusterer(3).fit(digits[0])
    with pytest.raises(ValueError, match='64 columns'):
        model.predict(digits[0][:, :10])


# ---- K

@pytest.mark.parametrize('count', [3, 7, 20, 50])
def test_k_of_blobs(count):
    x, y = blobs(count, rows=1500, seed=count)
    choice = FeatureClusterer((2, 60)).fit(x).choice_
    assert abs(choice.suggestions[0] - count) <= 0.2 * count and choice.sureness != 'unsure'


@pytest.mark.parametrize('seed', range(2))
def test_k_of_digits(digits, seed):
    model = FeatureClusterer((2, 40), seed=seed).fit(digits[0])
    assert 8 <= model.n_clusters_ <= 12
    first, second, third = model.choice_.suggestions
    assert len({first, second, third}) == 3 and model.choice_.sureness in ('likely', 'unsure')


def test_nothing_to_find_is_not_sure():
    choice = FeatureClusterer((2, 20)).fit(np.random.RandomState(0).randn(1000, 32)).choice_
    assert choice.sureness != 'clear'


def test_a_coarse_split_does_not_hide_the_groups_within():
    random = np.random.RandomState(5)
    centers = np.concatenate([random.randn(1, 32) * 12 + random.randn(6, 32) * 2.2 for _ in range(2)])
    x = np.concatenate([center + random.randn(80, 32) * 1.5 for center in centers])
    assert 10 <= FeatureClusterer((2, 30)).fit(x).choice_.suggestions[0] <= 14


def test_a_surer_coarse_split_is_told_and_nothing_is_clear():
    curve = [sweep.KScore(k, 0, 1, stability, 0, information, unshared) for k, stability, information, unshared in
             ((2, 0.9, 0.5, 0.1), (5, 0.6, 0.8, 0.6), (10, 0.5, 1.8, 1.5), (20, 0.2, 1.9, 2.0))]
    choice = sweep.suggest(curve)
    assert choice.suggestions[0] == 10 and choice.coarse == 2 and choice.sureness == 'likely'


def test_candidates_have_both_ends_and_fine_steps():
    ks = sweep.candidates(2, 97)
    assert ks[0] == 2 and ks[-1] == 97 and all(b - a <= max(1, 0.05 * a + 0.5) for a, b in zip(ks, ks[1:]))


def test_few_rows():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        for rows in (2, 3, 5, 8):
            model = FeatureClusterer('auto').fit(np.random.RandomState(0).randn(rows, 6))
            assert 2 <= model.n_clusters_ <= max(2, rows - 1)


@pytest.mark.parametrize('method', ['spectral', 'temi'])
def test_a_graph_of_more_parts_than_clusters_gives_as_many_as_asked(method):
    x, y = blobs(20, rows=800, spread=0.2)
    model = FeatureClusterer(6, method).fit(x)
    assert model.n_clusters_ == 6 and model.labels_.max() == 5
    assert model.method_ == ('kmeans' if method == 'spectral' else method), 'what clustered, not what was asked'
    table = np.zeros((20, 6))
    np.add.at(table, (y, model.labels_), 1)
    assert (table.max(axis=1) / table.sum(axis=1)).mean() > 0.95, 'groups stay whole'


def test_the_usual_method_follows_the_rows(digits):
    assert usual_method(50, True) == usual_method(30000, True) == 'spectral'
    assert usual_method(49, True) == usual_method(30001, True) == usual_method(500, False) == 'kmeans'
    usual = FeatureClusterer(10).fit(digits[0][:300])
    assert usual.method_ == 'spectral'
    assert (FeatureClusterer(10, 'spectral').fit(digits[0][:300]).labels_ == usual.labels_).all()
    assert FeatureClusterer(3).fit(digits[0][:30]).method_ == 'kmeans'


@pytest.mark.parametrize('rows, count', [(200, 150), (50, 49)])
def test_spectral_gives_as_many_clusters_as_asked(rows, count):
    unit = torch.nn.functional.normalize(torch.randn(rows, 8, generator=torch.Generator().manual_seed(0)), dim=1)
    assert len(METHODS['spectral'](unit, count, True, 0).centers) == count
