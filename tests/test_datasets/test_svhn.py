"""SVHN: pixels in the right place, the digit 0, joined splits, and what is wrong with other files."""
import numpy as np
import pytest
from scipy.io import savemat

from mmcluster.datasets import IndexedDataset, SVHNSource
from mmcluster.registry import DATASETS

COUNTS = dict(train=6, test=5, extra=7)


def write(root, counts=COUNTS, **labels):
    """Write random images as MATLAB keeps them; returns part -> (X (32, 32, 3, n), y (n, 1) from 1 to 10)."""
    rng, parts = np.random.default_rng(0), {}
    root.mkdir(parents=True, exist_ok=True)
    for name, n in counts.items():
        y = np.array(labels.get(name, rng.integers(1, 11, n)), np.uint8).reshape(-1, 1)
        parts[name] = rng.integers(0, 256, (32, 32, 3, n), dtype=np.uint8), y
        savemat(root / f'{name}_32x32.mat', dict(X=parts[name][0], y=y), do_compression=True)
    return parts


@pytest.mark.parametrize('split, parts', [
    ('train', ['train']), ('test', ['test']), ('test+train', ['train', 'test']),
    ('extra+train', ['train', 'extra']), ('train+test+extra', ['train', 'test', 'extra'])])
def test_splits(tmp_path, split, parts):
    stored = write(tmp_path / 'svhn')
    source = DATASETS.build(dict(type='SVHNSource', root=str(tmp_path), split=split))
    images = [stored[part][0][:, :, :, i] for part in parts for i in range(COUNTS[part])]
    digits = [int(y) if y < 10 else 0 for part in parts for y in stored[part][1][:, 0]]
    assert source.array.dtype == np.uint8 and np.array_equal(source.array, images)
    assert source.labels.tolist() == digits and source.labels.dtype == np.int64
    assert source.classes == tuple('0123456789') and source.mode == 'RGB' and source.root == tmp_path / 'svhn'
    assert source.name == f"SVHN {'+'.join(parts)}"


def test_ten_is_the_digit_zero_and_the_folder_itself(tmp_path):
    write(tmp_path, dict(test=10), test=range(1, 11))
    source = SVHNSource(tmp_path, 'test')
    assert source.labels.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0] and source.root == tmp_path


def test_an_image_lies_upright(tmp_path):
    image = np.zeros((32, 32, 3, 1), np.uint8)
    image[20, 5, 0, 0] = 200        # row, column, channel
    savemat(tmp_path / 'train_32x32.mat', dict(X=image, y=[[3]]))
    source = SVHNSource(tmp_path)
    assert source.array[0, 20, 5].tolist() == [200, 0, 0] and source.load(0).getpixel((5, 20)) == (200, 0, 0)


def test_training_does_not_see_labels(tmp_path):
    write(tmp_path)
    assert IndexedDataset(SVHNSource(tmp_path))[[0]]['batch'].label is None
    prints = {SVHNSource(tmp_path, split).fingerprint for split in ('train', 'test', 'train+test')}
    assert len(prints) == 3


def test_faults(tmp_path):
    with pytest.raises(FileNotFoundError, match='holds no train_32x32.mat. Put'):
        SVHNSource(tmp_path)
    parts = write(tmp_path)
    with pytest.raises(ValueError, match='split must be one of train, test, extra, or several'):
        SVHNSource(tmp_path, 'valid')
    file = tmp_path / 'train_32x32.mat'
    for content in (file.read_bytes()[:-50], b'', b'no MATLAB'):
        file.write_bytes(content)
        with pytest.raises(ValueError, match='train_32x32.mat cannot be read: .*Get it again'):
            SVHNSource(tmp_path)
    image, label = parts['train']
    for wrong in (dict(X=image), dict(y=label), dict(X=image, y=label[1:]), dict(X=image[:, :, 0], y=label),
                  dict(X=image / 255, y=label)):
        savemat(file, wrong)
        with pytest.raises(ValueError, match=r'must hold X, uint8 \(32, 32, 3, n\), and y with n labels'):
            SVHNSource(tmp_path)
    for odd in (0, 11):
        savemat(file, dict(X=image, y=np.where(np.arange(6) == 2, odd, label[:, 0])))
        with pytest.raises(ValueError, match='must hold labels from 1 to 10, found'):
            SVHNSource(tmp_path)
    file.unlink()
    with pytest.raises(FileNotFoundError, match='lacks train_32x32.mat: .*another `split`'):
        SVHNSource(tmp_path, 'train+test')
