"""STL-10: pixels in the right place, labels, joined splits, and what is wrong with damaged files."""
import numpy as np
import pytest
import torch

from mmcluster.datasets import IndexedDataset, STL10Source
from mmcluster.functional.clustering.metrics import clustering_metrics
from mmcluster.registry import DATASETS

COUNTS = dict(train=6, test=5, unlabeled=7)
NAMES = ['airplane', 'bird', 'car', 'cat', 'deer', 'dog', 'horse', 'monkey', 'ship', 'truck']


def write(root, counts=COUNTS, folder='stl10_binary', seed=0):
    """Write random images; returns part -> (as stored (n, 27648), labels from 1)."""
    rng, parts = np.random.default_rng(seed), {}
    (root / folder).mkdir(parents=True, exist_ok=True)
    for name, n in counts.items():
        parts[name] = rng.integers(0, 256, (n, 3 * 96 * 96), dtype=np.uint8), rng.integers(1, 11, n, dtype=np.uint8)
        (root / folder / f'{name}_X.bin').write_bytes(parts[name][0].tobytes())
        if name != 'unlabeled':
            (root / folder / f'{name}_y.bin').write_bytes(parts[name][1].tobytes())
    (root / folder / 'class_names.txt').write_text('\n'.join(NAMES) + '\n')
    return parts


def columns_to_images(rows):
    """Slow oracle: 96 * 96 red, green, blue values, each column by column from the left, a column from the top."""
    images = np.zeros((len(rows), 96, 96, 3), np.uint8)
    for c in range(3):
        for column in range(96):
            start = c * 96 * 96 + column * 96
            images[:, :, column, c] = rows[:, start:start + 96]
    return images


@pytest.mark.parametrize('split, parts', [
    ('train', ['train']), ('test', ['test']), ('train+test', ['train', 'test']), ('test+train', ['train', 'test']),
    ('train+unlabeled', ['train', 'unlabeled']), ('unlabeled+test+train', ['train', 'test', 'unlabeled'])])
def test_splits(tmp_path, split, parts, monkeypatch):
    monkeypatch.setattr('mmcluster.datasets.stl10._ROWS_PER_READ', 4)
    stored = write(tmp_path)
    source = DATASETS.build(dict(type='STL10Source', root=str(tmp_path), split=split))
    assert np.array_equal(source.array, columns_to_images(np.concatenate([stored[part][0] for part in parts])))
    expected = [stored[part][1] - 1. if part != 'unlabeled' else np.full(COUNTS[part], -1) for part in parts]
    assert source.labels.tolist() == np.concatenate(expected).tolist() and source.labels.dtype == np.int64
    assert source.classes == tuple(NAMES) and source.name == f"STL-10 {'+'.join(parts)}" and source.mode == 'RGB'
    assert source.root == tmp_path / 'stl10_binary'


def test_the_folder_itself_and_no_labels(tmp_path):
    write(tmp_path, folder='here')
    (tmp_path / 'here' / 'class_names.txt').unlink()
    source = STL10Source(tmp_path / 'here', 'unlabeled')
    assert len(source) == 7 and source.labels is None and source.classes == ()
    prints = {STL10Source(tmp_path / 'here', split).fingerprint for split in ('train', 'test', 'train+test')}
    assert len(prints) == 3


def test_an_image_lies_upright(tmp_path):
    write(tmp_path, dict(train=1))
    image = np.zeros((3, 96, 96), np.uint8)      # channel, column, row
    image[0, 5, 20] = 200
    (tmp_path / 'stl10_binary' / 'train_X.bin').write_bytes(image.tobytes())
    source = STL10Source(tmp_path, 'train')
    assert source.array[0, 20, 5].tolist() == [200, 0, 0] and source.array.sum() == 200
    assert source.load(0).getpixel((5, 20)) == (200, 0, 0)


def test_unlabelled_rows_are_left_out_of_the_metrics(tmp_path):
    write(tmp_path)
    dataset = IndexedDataset(STL10Source(tmp_path, 'train+unlabeled'), test_mode=True)
    label = dataset[list(range(13))]['batch'].label
    assert (label[6:] == -1).all() and (label[:6] >= 0).all() and dataset.labels.tolist() == label.tolist()
    pred = torch.arange(13) % 3
    assert clustering_metrics(label, pred) == clustering_metrics(label[:6], pred[:6])
    assert IndexedDataset(STL10Source(tmp_path, 'train'))[[0]]['batch'].label is None


def test_faults(tmp_path):
    with pytest.raises(FileNotFoundError, match='holds no stl10_binary/train_X.bin. Unpack'):
        STL10Source(tmp_path)
    write(tmp_path)
    folder = tmp_path / 'stl10_binary'
    for split in ('val', 'train+val', 'train+train', ''):
        with pytest.raises(ValueError, match='split must be one of train, test, unlabeled, or several joined by'):
            STL10Source(tmp_path, split)
    (folder / 'unlabeled_X.bin').unlink()
    with pytest.raises(FileNotFoundError, match='lacks unlabeled_X.bin: .*another `split`'):
        STL10Source(tmp_path, 'train+unlabeled')
    content = (folder / 'train_X.bin').read_bytes()
    for damaged in (content[:-1], b''):
        (folder / 'train_X.bin').write_bytes(damaged)
        with pytest.raises(ValueError, match=f'train_X.bin has {len(damaged)} bytes, not a multiple of 27648'):
            STL10Source(tmp_path)
    (folder / 'train_X.bin').write_bytes(content)
    for labels in (bytes([1] * 5), bytes([0] + [1] * 5), bytes([11] + [1] * 5)):
        (folder / 'train_y.bin').write_bytes(labels)
        with pytest.raises(ValueError, match='train_y.bin must hold 6 labels from 1 to 10'):
            STL10Source(tmp_path)
    (folder / 'train_y.bin').unlink()
    with pytest.raises(FileNotFoundError, match='lacks train_y.bin'):
        STL10Source(tmp_path)


@pytest.mark.parametrize('split', ['train+test+unlabeled', 'train+unlabeled', 'test'])
def test_rows_of_a_split_are_found_again(tmp_path, split):
    write(tmp_path)
    source = STL10Source(tmp_path, split)
    whole = IndexedDataset(source)
    for part in split.split('+'):
        rows = whole.split_rows(part)
        assert torch.equal(whole[rows.tolist()]['batch'].images[0], IndexedDataset(STL10Source(tmp_path, part))[
            list(range(COUNTS[part]))]['batch'].images[0])
    assert whole.split_rows(split).tolist() == list(range(len(source)))
    chosen = [len(source) - 1, 2, 0]
    assert IndexedDataset(source, indices=chosen).split_rows(split.split('+')[-1]).tolist() == \
        [i for i, row in enumerate(chosen) if row in source.splits[split.split('+')[-1]]]
    with pytest.raises(ValueError, match='split must be one of .*validation'):
        whole.split_rows('validation')


def test_data_without_splits():
    with pytest.raises(ValueError, match='does not tell its splits apart'):
        IndexedDataset(dict(type='DigitsSource')).split_rows('train')
