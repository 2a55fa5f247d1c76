"""The store of features: kills, several processes, changes of the folder, damage."""
import json
import multiprocessing
import os
import shutil
import time

import numpy as np
import pytest
from PIL import Image
from test_encoders import small_encoder, write_photos

from mmcluster.encoders import FeatureStore
from mmcluster.encoders import embed as embed_module
from mmcluster.encoders import embed_files
from mmcluster.encoders.store import StoreError

pytestmark = pytest.mark.usefixtures('engine')


def embed(tmp_path, files, encoder=None, **changes):
    return embed_files(encoder or small_encoder(), files, tmp_path / 'photos', tmp_path / 'store',
                       **{'batch_size': 4, 'workers': 0, 'dtype': 'float32', **changes})


def start(tmp_path, files, wait):
    """A process that embeds slowly and writes chunks of eight rows."""
    def run():
        embed_module.CHUNK_ROWS = 8
        embed(tmp_path, files, progress=lambda *_: time.sleep(wait))

    process = multiprocessing.get_context('fork').Process(target=run)     # nothing to import again
    process.start()
    return process


@pytest.fixture(scope='module')
def expected(tmp_path_factory):
    """Files, and their features by one run without a stop."""
    folder = tmp_path_factory.mktemp('expected')
    files = write_photos(folder / 'photos', 60)
    return folder, files, embed(folder, files).embed


def test_a_killed_run_goes_on(tmp_path, expected):
    shutil.copytree(expected[0] / 'photos', tmp_path / 'photos')
    files, rng, kept = expected[1], np.random.default_rng(0), []
    for _ in range(3):
        process, chunks = start(tmp_path, files, .2), len(list(tmp_path.glob('store/*/rows-*')))
        while len(list(tmp_path.glob('store/*/rows-*'))) == chunks and process.is_alive():
            time.sleep(.005)
        time.sleep(rng.uniform(0, .3))
        process.kill()
        process.join()
        store = FeatureStore(small_encoder(), tmp_path / 'store')
        store.refresh()
        kept.append(len(store.known()))
    assert kept == sorted(kept) and 0 < kept[0] < 60, 'the first kill came in the middle'
    result = embed(tmp_path, files)
    assert result.cached == kept[-1] and np.array_equal(result.embed, expected[2])


def test_two_runs_at_once(tmp_path, expected):
    shutil.copytree(expected[0] / 'photos', tmp_path / 'photos')
    runs = [start(tmp_path, expected[1], .01), start(tmp_path, expected[1][::-1], .01)]
    for run in runs:
        run.join(60)
        assert run.exitcode == 0
    result = embed(tmp_path, expected[1])
    assert result.cached == 60 and np.array_equal(result.embed, expected[2])


def test_only_what_changed_is_computed(tmp_path):
    files = write_photos(tmp_path / 'photos', 10)
    first = embed(tmp_path, files)
    photos = tmp_path / 'photos'
    (photos / '000.png').unlink()
    (photos / '001.png').rename(photos / 'moved.png')
    os.utime(photos / '002.png', (1, 1))
    before = os.stat(photos / '003.png')
    pixels = 255 - np.asarray(Image.open(photos / '003.png'))
    Image.fromarray(pixels).save(photos / '003.png')
    os.utime(photos / '003.png', ns=(before.st_atime_ns, before.st_mtime_ns))    # a tool that keeps the dates
    Image.fromarray(pixels[::-1]).save(photos / 'new.png')
    shutil.copy(photos / '004.png', photos / 'twin.png')
    second = embed(tmp_path, sorted(file.name for file in photos.iterdir()))
    assert (second.computed, second.cached) == (2, 9)
    rows = dict(zip(second.paths, second.embed))
    assert '000.png' not in rows and np.array_equal(rows['moved.png'], first.embed[1])
    assert not np.allclose(rows['003.png'], first.embed[3]) and np.array_equal(rows['twin.png'], rows['004.png'])
    assert embed(tmp_path, ['twin.png', '002.png']).cached == 2


def test_encoders_have_stores_of_their_own(tmp_path):
    files = write_photos(tmp_path / 'photos', 3)
    first, other = embed(tmp_path, files), embed(tmp_path, files, small_encoder(1))
    assert other.computed == 3 and not np.allclose(first.embed, other.embed)
    assert embed(tmp_path, files, small_encoder(0, size=20)).computed == 3, 'another preprocessing'
    assert embed(tmp_path, files, dtype='bfloat16').computed == 3
    assert embed(tmp_path, files).cached == 3


@pytest.mark.parametrize('at', [150, -100, -10])
def test_damaged_chunks_are_computed_again(tmp_path, at):
    files = write_photos(tmp_path / 'photos', 6)
    first = embed(tmp_path, files)
    chunk = next((tmp_path / 'store').glob('*/rows-*'))
    content = bytearray(chunk.read_bytes())
    content[at] ^= 255
    chunk.write_bytes(content)
    with pytest.warns(UserWarning, match='is damaged'):
        again = embed(tmp_path, files)
    assert again.computed == 6 and np.array_equal(first.embed, again.embed) and embed(tmp_path, files).cached == 6


def test_code_in_a_chunk_is_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / 'ran'),)

    files = write_photos(tmp_path / 'photos', 2)
    first = embed(tmp_path, files)
    folder = next((tmp_path / 'store').iterdir())
    np.save(folder / 'rows-0.npy', np.array([[Evil()]], object), allow_pickle=True)
    with pytest.warns(UserWarning, match='is damaged'):
        assert np.array_equal(embed(tmp_path, files).embed, first.embed)
    assert not (tmp_path / 'ran').exists()


def test_stores_that_cannot_be_used(tmp_path, monkeypatch):
    files = write_photos(tmp_path / 'photos', 5)
    with pytest.raises(StoreError, match='lies in the folder of the images'):
        embed_files(small_encoder(), files, tmp_path / 'photos', tmp_path / 'photos' / 'store', workers=0)
    assert not (tmp_path / 'photos' / 'store').exists()
    (tmp_path / 'file').write_text('')
    with pytest.raises(StoreError, match='cannot write the features.*--store'):
        embed_files(small_encoder(), files, tmp_path / 'photos', tmp_path / 'file', workers=0)
    embed(tmp_path, files[:2])
    meta = next((tmp_path / 'store').glob('*/meta.json'))
    meta.write_text(json.dumps(dict(json.loads(meta.read_text()), format=2)))
    with pytest.raises(StoreError, match='not a store of this encoder and version'):
        embed(tmp_path, files)


def test_a_full_disk_keeps_what_is_stored(tmp_path, monkeypatch):
    files = write_photos(tmp_path / 'photos', 5)
    embed(tmp_path, files[:2])
    replace = os.replace
    monkeypatch.setattr(os, 'replace', lambda *args: (_ for _ in ()).throw(OSError(28, 'No space left on device')))
    with pytest.raises(StoreError, match='No space left on device.*--store'):
        embed(tmp_path, files)
    monkeypatch.setattr(os, 'replace', replace)
    assert not list((tmp_path / 'store').rglob('.*'))
    assert embed(tmp_path, files).cached == 2


def test_workers_give_what_one_process_gives(tmp_path, expected):
    shutil.copytree(expected[0] / 'photos', tmp_path / 'photos')
    result = embed(tmp_path, expected[1], workers=2)
    assert result.computed == 60 and np.array_equal(result.embed, expected[2])


def test_a_temporary_store_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv('MMCLUSTER_CACHE', str(tmp_path / 'cache'))
    files = write_photos(tmp_path / 'photos', 3)
    assert embed_files(small_encoder(), files, tmp_path / 'photos', workers=0, keep=False).computed == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ['photos']
    embed_files(small_encoder(), files, tmp_path / 'photos', workers=0)
    assert (tmp_path / 'cache' / 'features').is_dir()
