"""Clustering without training as a recipe: on pixels, on features, on an earlier stage; what it refuses."""
import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from reduced import K, N, forget, load, train, write_digits, write_recipe
from reduced_dec import autoencoder_cfg, classical_cfg
from sklearn.cluster import KMeans

from mmcluster.models.clusterers import ClassicalClusterer
from mmcluster.recipes import recipe

pytestmark = pytest.mark.usefixtures('engine')


def labels_of(path):
    return load(path)['state_dict']['bank.label']


def assigned(work):
    return [int(row.split(',')[1]) for row in (work / 'assignments.csv').read_text().splitlines()[1:]]


def test_on_pixels(tmp_path):
    """The labels are in the checkpoint, in the table and in the metrics; a second call does nothing."""
    data = write_digits(tmp_path)
    path = train(classical_cfg(tmp_path / 'work', data))['train']
    x = np.load(data['array']).reshape(N, -1).astype(np.float32) / 255
    assert np.array_equal(labels_of(path).numpy(), KMeans(K, n_init=10, random_state=load(path)['meta']['seed'])
                          .fit_predict(x))
    assert assigned(tmp_path / 'work') == labels_of(path).tolist()
    summary = json.loads((tmp_path / 'work' / 'summary.json').read_text())
    assert {'classical/acc', 'classical/nmi', 'classical/ari'} < set(summary['metrics'])
    assert summary['epochs'] == 1 and summary['iterations'] == 0, 'nothing was trained'
    assert train(classical_cfg(tmp_path / 'work', data), resume=True)['train'] == path


def test_on_features(tmp_path):
    features = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32) + 5 * np.eye(6)[np.arange(20) % K]
    np.save(tmp_path / 'x.npy', features.astype(np.float32))
    path = train(classical_cfg(tmp_path / 'work', dict(array=str(tmp_path / 'x.npy')), 'agglomerative'))['train']
    assert len(set(labels_of(path)[::K].tolist())) == 1 and len(labels_of(path).unique()) == K


def test_on_an_earlier_stage(tmp_path):
    data = write_digits(tmp_path)
    first = autoencoder_cfg('', data, epochs=1)
    base = {key: value for key, value in first.model.items() if key != 'data_preprocessor'}
    stages = dict(autoencoder=first, classical=classical_cfg('', data, 'gaussian_mixture', base))
    scale = dict(first.model.data_preprocessor)
    stages['classical'].model.data_preprocessor.update(mean=scale['mean'], std=scale['std'])
    paths = train(write_recipe(tmp_path, stages))
    first, second = (load(path)['state_dict'] for path in paths.values())
    assert torch.equal(second['neck.layers.0.weight'], first['neck.layers.0.weight']), 'it does not train'
    assert len(labels_of(paths['classical'])) == N and not any(key.startswith('decoder') for key in second)


def test_permuted_labels_change_nothing(tmp_path):
    found = [labels_of(train(classical_cfg(tmp_path / f'{permute}', write_digits(tmp_path, permute)))['train'])
             for permute in (None, 1)]
    assert torch.equal(*found)


def test_other_images_in_the_evaluation(tmp_path):
    cfg = classical_cfg(tmp_path / 'work', write_digits(tmp_path))
    cfg.val_dataloader.dataset.indices = list(range(20))
    with pytest.raises(ValueError, match='kmeans labels the images that it is fitted on, and the evaluation has others'):
        train(cfg)


def test_other_images_in_a_test(tmp_path):
    cfg = classical_cfg(tmp_path / 'work', write_digits(tmp_path))
    path = train(cfg)['train']
    forget()
    cfg = Config(dict(cfg, load_from=path))
    cfg.test_dataloader.dataset.indices = list(range(20))
    recipe.bind_data(cfg)
    with pytest.raises(ValueError, match='the evaluation has others'):
        recipe.build_runner(cfg).test()


def test_it_says_nothing_of_other_images():
    model = ClassicalClusterer('kmeans', 3, backbone=dict(type='Pixels'), bank=dict(num_samples=5))
    with pytest.raises(ValueError, match='says nothing of others'):
        model.predict(torch.zeros(2, 1, 4, 4))


@pytest.mark.parametrize('change, message', [
    (dict(method='kmean'), "no classical method 'kmean'"), (dict(num_clusters=1), 'num_clusters must be at least 2'),
    (dict(options=dict(tolerance=1)), "Invalid parameter 'tolerance'"), (dict(backbone=None), 'needs a base')])
def test_bad_options(change, message):
    with pytest.raises(ValueError, match=message):
        ClassicalClusterer(**dict(dict(method='kmeans', num_clusters=3, backbone=dict(type='Pixels'),
                                       bank=dict(num_samples=5)), **change))
