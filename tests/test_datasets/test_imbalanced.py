"""Simulated imbalance: sizes, a nested uniform choice, and both kinds of sources."""
import numpy as np
import pytest
from PIL import Image

from mmcluster.datasets import ArraySource, ClassFolderSource, ImbalancedSource, IndexedDataset
from mmcluster.registry import DATASETS

N, K = 1000, 10


def balanced(n=N, labels=None):
    """One grey level a row: row i is painted i // 4 with a corner of i % 4."""
    array = np.zeros((n, 4, 4, 1), np.uint8) + (np.arange(n) // 4 % 256).astype(np.uint8)[:, None, None, None]
    array[:, 0, 0, 0] = np.arange(n) % 4
    labels = np.random.default_rng(0).permutation(np.arange(n) % K) if labels is None else labels
    return ArraySource(array, labels, [f'kind{i}' for i in range(K)])


@pytest.mark.parametrize('zeta, sizes', [
    (0.2, [28, 36, 44, 52, 60, 68, 76, 84, 92, 100]), (0.6, [64, 68, 72, 76, 80, 84, 88, 92, 96, 100]),
    (1., [100] * 10)])
def test_sizes_and_rows(zeta, sizes):
    source = balanced()
    part = DATASETS.build(dict(type='ImbalancedSource', source=source, zeta=zeta))
    assert np.bincount(part.labels).tolist() == sizes and len(part) == sum(sizes)
    assert part.classes == source.classes and part.mode == 'L' and part.paths is None
    rows = part.array[:, 0, 0, 0] + 4 * part.array[:, 1, 1, 0].astype(int)
    assert (np.diff(rows) > 0).all() and np.array_equal(source.labels[rows], part.labels)
    assert np.array_equal(np.asarray(part.load(7)), source.array[rows[7], :, :, 0])
    assert zeta < 1 or np.array_equal(part.array, source.array)


def rows_of(source, zeta, seed=0):
    array = ImbalancedSource(source, zeta, seed).array
    return set((array[:, 0, 0, 0] + 4 * array[:, 1, 1, 0].astype(int)).tolist())


def test_the_choice_is_nested_and_seeded():
    source = balanced()
    nested = [rows_of(source, zeta) for zeta in (0.1, 0.4, 0.7, 1.)]
    assert all(small < large for small, large in zip(nested, nested[1:]))
    assert rows_of(source, 0.1) == nested[0] != rows_of(source, 0.1, seed=1)
    prints = {ImbalancedSource(source, zeta, seed).fingerprint for zeta, seed in ((.1, 0), (.1, 1), (.4, 0))}
    assert len(prints) == 3 and source.fingerprint not in prints


def test_the_choice_is_uniform():
    source, counts = balanced(), np.zeros(N)
    for seed in range(200):
        counts[list(rows_of(source, 0., seed))] += 1
    for label in range(K):
        share, seen = (label + 1) / K, counts[source.labels == label] / 200
        assert abs(seen.mean() - share) < 1e-9 and seen.std() < 0.05
    halves = counts[source.labels == 4][:50].mean() / 200, counts[source.labels == 4][50:].mean() / 200
    assert abs(halves[0] - halves[1]) < 0.03                    # no preference for early rows


def test_a_source_of_files(tmp_path):
    for label in range(3):
        for i in range(6):
            (tmp_path / f'c{label}').mkdir(exist_ok=True)
            Image.new('RGB', (8, 8), (40 * label + 5 * i,) * 3).save(tmp_path / f'c{label}' / f'{i}.png')
    folder = dict(type='ClassFolderSource', root=str(tmp_path), splits=None)
    part = DATASETS.build(dict(type='ImbalancedSource', source=folder, zeta=0.))
    assert np.bincount(part.labels).tolist() == [2, 4, 6] and part.root == tmp_path
    assert part.cache_name != DATASETS.build(folder).cache_name
    levels = [40 * int(path[1]) + 5 * int(path[3]) for path in part.paths]
    assert [np.asarray(part.load(i))[0, 0, 0] for i in range(12)] == levels
    dataset = IndexedDataset(part)
    assert dataset[list(range(12))]['batch'].images[0][:, 0, 0, 0].tolist() == levels and dataset.paths == part.paths
    whole = IndexedDataset(ClassFolderSource(tmp_path, splits=None))
    assert len(whole) == 18 and whole.fingerprint != dataset.fingerprint


def test_classes_of_different_size():
    labels = np.repeat(np.arange(4), [1, 10, 40, 9])
    part = ImbalancedSource(balanced(60, labels), 0.2)
    assert np.bincount(part.labels).tolist() == [0, 6, 32, 9]     # shares 0.4, 0.6, 0.8, 1


def test_faults():
    unknown = balanced().labels.copy()
    unknown[3] = -1
    images = balanced().array
    for source in (ArraySource(images, unknown), ArraySource(images)):
        with pytest.raises(ValueError, match='images without a label'):
            ImbalancedSource(source, 0.5)
    for zeta in (-0.1, 1.1):
        with pytest.raises(ValueError, match='zeta'):
            ImbalancedSource(balanced(), zeta)


def test_a_long_tail_keeps_the_share_of_its_last_class():
    source = ArraySource(np.zeros((400, 2, 2), np.uint8), np.arange(400) % 4)
    sizes = {profile: np.bincount(ImbalancedSource(source, ratio=0.1, profile=profile).labels).tolist()
             for profile in ('exponential', 'step')}
    assert sizes == dict(exponential=[100, 46, 21, 10], step=[100, 100, 10, 10])
    small = set(ImbalancedSource(source, ratio=0.1)._rows)
    assert small < set(ImbalancedSource(source, ratio=0.5)._rows), 'a smaller tail is a part of a larger one'
    for options, message in ((dict(), 'one of them'), (dict(zeta=0.5, ratio=0.5), 'one of them'),
                             (dict(ratio=0.), r'in \(0, 1\]'), (dict(ratio=0.5, profile='tail'), 'profile')):
        with pytest.raises(ValueError, match=message):
            ImbalancedSource(source, **options)
