"""What is kept for the next start belongs to these files and no others, is made once, and lies in the cache folder."""
import multiprocessing
import os
import shutil
import signal
import time

import numpy as np
import pytest
from PIL import Image

from mmcluster.datasets import ClassFolderSource, FolderSource, ImbalancedSource, IndexedDataset, UnreadableImageError
from mmcluster.datasets.image_bank import _keep, image_bank

SIZE = (8, 6)


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv('MMCLUSTER_CACHE', str(tmp_path / 'store'))
    return tmp_path / 'store' / 'images'


def make(folder, values, classes=False):
    folder.mkdir(parents=True)
    for i, value in enumerate(values):
        place = folder / f'c{i % 2}' if classes else folder
        place.mkdir(exist_ok=True)
        Image.new('RGB', SIZE, (value,) * 3).save(place / f'{i}.bmp')
    return folder


def seen(folder):
    """What the data set holds, and what identifies it."""
    source = FolderSource(folder)
    return image_bank(source)[:, 0, 0, 0].tolist(), source.fingerprint


def overwrite(path, value, stamp):
    """Other pixels in the same file, with the time of the old ones."""
    with open(path, 'r+b') as file:
        other = Image.new('RGB', SIZE, (value,) * 3)
        other.save(file, 'bmp')
    os.utime(path, ns=stamp)


def test_another_folder_of_the_same_names_and_sizes(tmp_path):
    first = make(tmp_path / 'a', [1, 2, 3])
    second = make(tmp_path / 'b', [4, 5, 6])
    assert seen(first)[0] == [1, 2, 3] and seen(second)[0] == [4, 5, 6]
    assert seen(first)[1] != seen(second)[1]
    shutil.rmtree(first)
    second.rename(first)
    assert seen(first)[0] == [4, 5, 6], 'a folder in the place of another'


def test_swapped_files(tmp_path):
    folder = make(tmp_path / 'a', [1, 2, 3])
    before = seen(folder)
    (folder / '0.bmp').rename(tmp_path / 'x')
    (folder / '1.bmp').rename(folder / '0.bmp')
    (tmp_path / 'x').rename(folder / '1.bmp')
    after = seen(folder)
    assert after[0] == [2, 1, 3] and after[1] != before[1]


@pytest.mark.parametrize('kind', ['older', 'same time'])
def test_a_replaced_file(tmp_path, kind):
    folder = make(tmp_path / 'a', [1, 2, 3])
    before, found = seen(folder), (folder / '1.bmp').stat()
    overwrite(folder / '1.bmp', 9, (10 ** 18,) * 2 if kind == 'older' else (found.st_atime_ns, found.st_mtime_ns))
    after = seen(folder)
    assert after[0] == [1, 9, 3] and after[1] != before[1]


def test_a_moved_folder_is_the_same_data(tmp_path):
    folder = make(tmp_path / 'a', [1, 2, 3])
    before = seen(folder)
    shutil.copytree(folder, tmp_path / 'elsewhere' / 'b')
    assert seen(tmp_path / 'elsewhere' / 'b') == before
    for path in folder.iterdir():
        os.utime(path)
    assert seen(folder) == before


def test_a_part_of_the_data_has_caches_of_its_own(tmp_path):
    folder = make(tmp_path / 'a', range(10), classes=True)
    whole = ClassFolderSource(folder, splits=None)
    parts = [ImbalancedSource(whole, 0.2, seed) for seed in (0, 1)]
    sets = [IndexedDataset(source) for source in (whole, *parts)]
    assert len({dataset.fingerprint for dataset in sets}) == len({source.cache_name for source in (whole, *parts)}) == 3
    for source, dataset in zip(parts, sets[1:]):
        assert [int(image[0, 0, 0]) for image in dataset[list(range(len(dataset)))]['batch'].images[0]] == \
            [source.load(i).getpixel((0, 0))[0] for i in range(len(source))]


def test_the_list_of_unreadable_files_follows_the_files(tmp_path):
    folder = make(tmp_path / 'a', [1, 2])
    whole = (folder / '1.bmp').read_bytes()
    found = (folder / '1.bmp').stat()
    (folder / '1.bmp').write_bytes(bytes(len(whole)))
    with pytest.warns(UserWarning, match='left out 1 of 2'):
        source = FolderSource(folder, skip_unreadable=True)
    assert source.paths == ['0.bmp'] and source.summary().left_out == {'unreadable': 1}
    with open(folder / '1.bmp', 'r+b') as file:
        file.write(whole)
    os.utime(folder / '1.bmp', ns=(found.st_atime_ns, found.st_mtime_ns))
    assert FolderSource(folder, skip_unreadable=True).paths == ['0.bmp', '1.bmp']


def test_nothing_is_written_among_the_data(tmp_path, store):
    folder = make(tmp_path / 'a', range(4), classes=True)
    before = sorted(folder.rglob('*'))
    for source in (FolderSource(folder, skip_unreadable=True), ClassFolderSource(folder, splits=None)):
        IndexedDataset(source, size=4).fingerprint
    assert sorted(folder.rglob('*')) == before and {path.suffix for path in store.iterdir()} >= {'.npy', '.json'}
    assert store.stat().st_mode & 0o077 == 0, 'photographs are private'


@pytest.mark.parametrize('suffix, anew', [('.TIF', True), ('.png', False)])
def test_another_way_to_read_gray_tiffs_drops_their_caches_alone(tmp_path, store, monkeypatch, suffix, anew):
    Image.new('L', SIZE, 7).save(tmp_path / f'a{suffix}')
    before = FolderSource(tmp_path).cache_name
    monkeypatch.setattr('mmcluster.datasets.decode._GRAY', 'another')
    assert (FolderSource(tmp_path).cache_name != before) is anew


def test_superseded_files_go_after_a_week(tmp_path, store):
    folder = make(tmp_path / 'a', [1, 2])
    for value, age in ((3, 0), (4, 8 * 24 * 3600), (5, 0)):
        seen(folder)
        file, = store.glob(f'{FolderSource(folder).cache_name}*.npy')
        os.utime(file, (file.stat().st_mtime - age,) * 2)
        Image.new('RGB', SIZE, (value,) * 3).save(folder / '1.bmp')
    other = store / 'other_state_native_RGB.npy'
    _keep(other, np.zeros((1, 2, 2, 3), np.uint8))
    os.utime(other, (0, 0))
    seen(folder)
    assert len(list(store.glob('*native_RGB.npy'))) == 4 - 1 + 1 and other.exists(), 'one was old, one is not ours'


def decode_slowly(folder, out):
    """In a process of its own: counts the images it decodes itself."""
    load, count = FolderSource.load, []

    def slow(self, i):
        count.append(i)
        time.sleep(0.1)
        return load(self, i)

    FolderSource.load = slow
    try:
        image_bank(FolderSource(folder))
        out.put((len(count), 'done'))
    except UnreadableImageError:
        out.put((len(count), 'failed'))


def together(folder, count=3):
    context = multiprocessing.get_context('fork')
    out = context.Queue()
    runs = [context.Process(target=decode_slowly, args=(folder, out)) for _ in range(count)]
    for run in runs:
        run.start()
    results = sorted(out.get(timeout=60) for _ in runs)
    for run in runs:
        run.join(60)
    return results


def test_pixels_are_decoded_once_by_several_processes(tmp_path):
    folder = make(tmp_path / 'a', range(6))
    assert together(folder) == [(0, 'done'), (0, 'done'), (7, 'done')], 'the first image also for its size'
    (folder / '3.bmp').write_bytes(b'BM')
    assert together(folder, 2) == [(7, 'failed')] * 2, 'each of them finds the error, and nobody waits'


def test_a_killed_process_is_not_waited_for(tmp_path):
    folder = make(tmp_path / 'a', range(6))
    context = multiprocessing.get_context('fork')
    out = context.Queue()
    first = context.Process(target=decode_slowly, args=(folder, out))
    first.start()
    while not list((tmp_path / 'store' / 'images').glob('.*.lock')):
        time.sleep(0.01)
    os.kill(first.pid, signal.SIGKILL)
    first.join(60)
    assert seen(folder)[0] == list(range(6))


def test_pixels_are_mapped(tmp_path):
    folder = make(tmp_path / 'a', [1, 2])
    image_bank(FolderSource(folder))
    bank = image_bank(FolderSource(folder))
    bank[0] = 7
    del bank
    assert seen(folder)[0] == [1, 2], 'writing to it leaves the file alone'


def test_an_error_frees_the_cache(tmp_path):
    folder = make(tmp_path / 'a', [1, 2])
    whole = (folder / '1.bmp').read_bytes()
    (folder / '1.bmp').write_bytes(b'BM')
    for _ in range(2):
        with pytest.raises(UnreadableImageError, match='1 of 2'):
            image_bank(FolderSource(folder))
    (folder / '1.bmp').write_bytes(whole)
    assert seen(folder)[0] == [1, 2]
