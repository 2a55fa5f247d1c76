"""The scikit-learn estimator."""
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.utils.estimator_checks import parametrize_with_checks

from mmcluster.apis.estimator import ImageClusterer


@parametrize_with_checks([ImageClusterer(), ImageClusterer(3, 'temi')])
def test_scikit_learn_finds_an_estimator(estimator, check):
    check(estimator)


def test_save_and_load(tmp_path):
    x = load_digits().data
    model = ImageClusterer((8, 12), random_state=3).fit(x)
    model.save(tmp_path / 'model.npz')
    again = ImageClusterer.load(tmp_path / 'model.npz')
    assert again.get_params() == model.get_params()
    assert np.array_equal(again.predict(x), model.predict(x)) and np.array_equal(model.predict(x), model.labels_)
    assert np.allclose(again.predict_proba(x), model.predict_proba(x))
    assert clone(again).get_params() == model.get_params()


@pytest.mark.parametrize('bad', [np.zeros((3, 8, 8, 2), np.uint8), np.full((3, 8, 8, 3), 7.0), np.zeros((4, 5, 6)), []])
def test_what_is_neither_images_nor_features(bad):
    with pytest.raises(ValueError):
        ImageClusterer(2, encoder=None).fit(bad)


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(FileNotFoundError, match='folder'):
        ImageClusterer(2, encoder=None).fit(tmp_path / 'nothing')
