"""The kept list of a large folder: tables of paths, what makes it stale, damage, and many processes."""
import json
import multiprocessing
import pickle
import shutil
import time
import warnings

import numpy as np
import pytest
from PIL import Image

from mmcluster.datasets import (ClassFolderSource, FolderSource, ImbalancedSource, IndexedDataset, files, folder,
                                index_file)
from mmcluster.datasets.index_file import _MAGIC, read_index, write_index
from mmcluster.datasets.path_table import PathTable

PATHS = ['b/10.jpg', 'b/2.TIF', '\udcff/ü.png', 'x.tiff', 'y', '']


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Every listing is kept, and nothing is too young for it."""
    monkeypatch.setenv('MMCLUSTER_CACHE', str(tmp_path / 'store'))
    monkeypatch.setattr(index_file, 'WORTH', 1)
    monkeypatch.setattr(index_file, '_SETTLED', -10 ** 15)
    return tmp_path / 'store' / 'images'


@pytest.fixture
def scans(monkeypatch):
    """Counts the scans."""
    made = []
    for name in ('_scan_classes', '_scan_folder'):
        monkeypatch.setattr(folder, name, lambda *args, scan=getattr(folder, name): (made.append(1), scan(*args))[1])
    return made


def make(root, classes=2, count=3):
    for label in range(classes):
        (root / f'c{label}').mkdir(parents=True)
        for i in range(count):
            Image.new('RGB', (6, 4), (10 * label + i,) * 3).save(root / f'c{label}' / f'{i}.png')
    return root


def opened(root, **options):
    return ClassFolderSource(root, splits=None, **options)


# ---- paths without an object for each

@pytest.mark.parametrize('block', [1, 4, 100])
def test_a_table_reads_like_a_list(monkeypatch, block):
    monkeypatch.setattr('mmcluster.datasets.path_table._BLOCK', block)
    table = PathTable.of(PATHS)
    assert list(table) == PATHS and table == PATHS and tuple(PATHS) == table and table == PathTable.of(tuple(PATHS))
    assert [table[i] for i in range(-6, 6)] == PATHS * 2 and table[1:5:2] == PATHS[1:5:2] and len(table) == 6
    assert table != PATHS[:-1] and table != [*PATHS[:-1], 'z'] and table != PathTable.of(PATHS[:-1]) and table != 3
    assert '\udcff/ü.png' in table and table.index('y') == 4
    assert table.take(np.array([5, 0, 3, 3])) == ['', PATHS[0], PATHS[3], PATHS[3]] and not table.take(np.arange(0))
    assert table.ending_in(('.tif', '.tiff')).tolist() == [False, True, False, True, False, False]
    assert not PathTable.of(['', '']).ending_in(('.tif',)).any() and len(PathTable.of([])) == 0
    assert PathTable.of(['ab', 'c']).hashed() != PathTable.of(['a', 'bc']).hashed()
    assert pickle.loads(pickle.dumps(table)) == PATHS
    with pytest.raises(IndexError, match='no path 6 among 6'):
        table[6]


# ---- when it holds

def test_a_second_start_does_not_scan(tmp_path, store, scans):
    root = make(tmp_path / 'a')
    (root / 'c0' / 'left.heic').touch()
    seen = []
    for _ in range(2):
        with warnings.catch_warnings(record=True) as given:
            warnings.simplefilter('always')
            source = opened(root)
        seen.append((list(source.paths), source.labels.tolist(), source.classes, source.left_out, source.fingerprint,
                     [str(one.message) for one in given]))
    assert seen[0] == seen[1] and len(scans) == 1 and len(list(store.glob('*_index.bin'))) == 1
    assert seen[0][0][0] == 'c0/0.png' and seen[0][5]
    opened(root, classes=['c1'])
    assert len(scans) == 2, 'another choice is another list'
    dataset = IndexedDataset(opened(root), indices=[4, 0])
    assert dataset.paths == ['c1/1.png', 'c0/0.png'] and dataset[[0]]['batch'].images[0][0, 0, 0, 0] == 11
    assert ImbalancedSource(opened(root), 1.).paths == seen[0][0]


CHANGES = {
    'added': lambda root: shutil.copy(root / 'c0' / '0.png', root / 'c0' / 'new.png'),
    'removed': lambda root: (root / 'c1' / '2.png').unlink(),
    'renamed': lambda root: (root / 'c1' / '2.png').rename(root / 'c1' / '4.png'),
    'a new folder inside a class': lambda root: shutil.copytree(root / 'c1', root / 'c0' / 'more'),
    'an image beside the classes': lambda root: shutil.copy(root / 'c0' / '0.png', root),
    'another folder in its place': lambda root: (root.rename(root.with_name('gone')), make(root, 2, 2))}


@pytest.mark.parametrize('kind', CHANGES)
def test_a_change_is_noticed(tmp_path, store, scans, kind):
    root = make(tmp_path / 'a')
    opened(root)
    time.sleep(0.01)        # a tick of the file system's clock; what is younger than it is not kept, see below
    CHANGES[kind](root)
    after = opened(root)
    assert len(scans) == 2 and after.paths == sorted(path.relative_to(root).as_posix() for path in root.rglob('c*/**/*.png'))
    assert opened(root).paths == after.paths and len(scans) == 2


def test_a_table_of_labels_is_watched(tmp_path, store, scans):
    root = make(tmp_path / 'a', classes=1)
    for cells in ('aab', 'abb'):
        (root / 'c0' / 't.csv').write_text(''.join(f'c0/{i}.png,{cell}\n' for i, cell in enumerate(cells)))
        for _ in range(2):
            assert [FolderSource(root, labels='c0/t.csv').classes[label] for label in
                    FolderSource(root, labels='c0/t.csv').labels] == list(cells)
    assert len(scans) == 2


def test_a_link_that_leads_elsewhere_is_noticed(tmp_path, store, scans):
    root = make(tmp_path / 'a')
    other = make(tmp_path / 'b', classes=1, count=5)
    (root / 'c2').symlink_to(root / 'c0')
    assert len(opened(root, classes=['c2', 'c1']).paths) == 6
    (root / 'c2').unlink()
    (root / 'c2').symlink_to(other / 'c0')
    assert len(opened(root, classes=['c2', 'c1']).paths) == 8 and len(scans) == 2


def test_small_and_young_folders_are_not_kept(tmp_path, store, scans, monkeypatch):
    root = make(tmp_path / 'a')
    monkeypatch.setattr(index_file, 'WORTH', 7)
    opened(root)
    assert not store.exists(), 'a small one, not even a lock'
    monkeypatch.setattr(index_file, 'WORTH', 6)
    monkeypatch.setattr(index_file, '_SETTLED', 2 * 10 ** 9)
    opened(root)
    opened(root)
    assert not list(store.glob('*.bin')) and len(scans) == 3, 'one that a change in the same tick could fool'


# ---- damage, and nothing that runs

def damaged(file, header=None, **arrays):
    """A file with a right checksum and a wrong content."""
    import hashlib
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    whole = _MAGIC + len(text).to_bytes(8, 'little') + text + bytes(64)
    file.write_bytes(whole + hashlib.blake2b(whole, digest_size=16).digest())


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ('code ran',))


SPOILED = {
    'short': lambda file: file.write_bytes(file.read_bytes()[:-20]),
    'a bit': lambda file: file.write_bytes(bytes([*file.read_bytes()[:90], 1, *file.read_bytes()[91:]])),
    'empty': lambda file: file.write_bytes(b''),
    'a pickle': lambda file: file.write_bytes(pickle.dumps(Bomb())),
    'an array of objects': lambda file: np.save(file.open('wb'), np.array([Bomb()]), allow_pickle=True),
    'objects in the header': lambda file: damaged(file, dict(arrays=dict(text=['|O', 8]))),
    'too little': lambda file: damaged(file, dict(arrays=dict(text=['|u1', 8]))),
    'no table': lambda file: damaged(file, [1])}


@pytest.mark.parametrize('kind', SPOILED)
def test_a_damaged_list_is_made_again(tmp_path, store, scans, kind):
    root = make(tmp_path / 'a')
    before = list(opened(root).paths)
    file, = store.glob('*_index.bin')
    SPOILED[kind](file)
    with pytest.warns(UserWarning, match='the list of files .* is damaged .* and will be made again'):
        assert opened(root).paths == before
    assert len(scans) == 2 and opened(root).paths == before and len(scans) == 2


def test_a_listing_without_labels_and_with_places(tmp_path):
    places = np.arange(6).reshape(2, 3)
    listing = index_file.Listing(PathTable.of(PATHS[:3]), None, ['\udcff'], {'.x': 2}, ['a\udcffb'], {}, places)
    assert write_index(tmp_path / 'x', listing)
    found = read_index(tmp_path / 'x')
    assert found[:6] == (PathTable.of(PATHS[:3]), None, ['\udcff'], {'.x': 2}, ['a\udcffb'], {})
    assert np.array_equal(found.places, places)
    assert isinstance(found.paths.text.base, np.memmap), 'mapped, not read'
    assert read_index(tmp_path / 'none') is None


# ---- many processes

def open_slowly(root, out):
    scan = folder._scan_classes
    made = []

    def slow(*args):
        made.append(1)
        time.sleep(0.3)
        return scan(*args)

    folder._scan_classes = slow
    out.put((len(made), len(opened(root).paths), len(made)))


def test_one_process_scans_and_the_others_wait(tmp_path, store):
    root = make(tmp_path / 'a')
    context = multiprocessing.get_context('fork')
    out = context.Queue()
    runs = [context.Process(target=open_slowly, args=(root, out)) for _ in range(3)]
    for run in runs:
        run.start()
    found = [out.get(timeout=60) for _ in runs]
    for run in runs:
        run.join(60)
    assert sum(after for _, _, after in found) == 1 and {count for _, count, _ in found} == {6}


# ---- the fingerprint of a large set

def test_a_large_set_is_known_by_its_paths_and_a_sample(tmp_path, store, monkeypatch):
    monkeypatch.setattr(files, 'MOST_READ', 5)
    monkeypatch.setattr(files, '_SAMPLED', 3)
    root = make(tmp_path / 'a')             # rows 0, 2 and 5 are read
    reads = []
    digest_of = files._digest_of
    monkeypatch.setattr(files, '_digest_of', lambda path: (reads.append(path), digest_of(path))[1])
    before = opened(root).fingerprint
    assert len(reads) == 3 and opened(root).fingerprint == before and len(reads) == 3
    assert opened(shutil.copytree(root, tmp_path / 'moved')).fingerprint == before
    (root / 'c0' / '1.png').rename(root / 'c0' / '11.png')
    assert opened(root).fingerprint != before, 'a path that is not in the sample'
    (root / 'c0' / '11.png').rename(root / 'c0' / '1.png')
    assert opened(root).fingerprint == before
    with open(root / 'c1' / '2.png', 'ab') as file:
        file.write(b'x')
    assert opened(root).fingerprint != before, 'a file that is'
