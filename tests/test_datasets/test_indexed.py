"""The data set behind both doors, the image bank, and equal views for any number of workers and ranks."""
import os
import random
import signal
import warnings

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from PIL import Image
from torch.utils.data import DataLoader

from mmcluster.datasets import ArraySource, DigitsSource, FolderSource, IndexedDataset, StreamSampler, identity, memory
from mmcluster.datasets.decode import UnreadableImageError
from mmcluster.datasets.image_bank import _BANKS, image_bank, read_bank, write_bank
from mmcluster.registry import DATASETS, TRANSFORMS
from mmcluster.structures import Key

RNG = np.random.default_rng(1)
IMAGES = RNG.integers(0, 256, (12, 8, 6, 3), dtype=np.uint8)
LABELS = RNG.integers(0, 3, 12)


def make_folder(root, n=5, size=(8, 6)):
    root.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        Image.fromarray(RNG.integers(0, 256, (*size, 3), dtype=np.uint8)).save(root / f'{i}.png')
    return root


@TRANSFORMS.register_module(force=True)
class AllGenerators:
    """Writes one draw of each generator, and the row, into the image."""

    def __call__(self, results):
        pixels = np.array(results['img'])
        pixels[0, 0] = random.randrange(256), np.random.randint(256), int(torch.randint(256, ()))
        pixels[0, 1] = results['index'] % 256
        results['img'] = Image.fromarray(pixels)
        return results


@DATASETS.register_module(force=True)
class Deadly(ArraySource):
    """Kills its process when row 3 is loaded in a worker; it hides its array, as sources of files do."""

    def __init__(self):
        super().__init__(IMAGES)
        self.hidden, self.array, self.paths = self.array, None, [str(i) for i in range(12)]

    def load(self, i):
        if i == 3 and torch.utils.data.get_worker_info() is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        return Image.fromarray(self.hidden[i])


@DATASETS.register_module(force=True)
class Nameless(ArraySource):
    """Images that are neither files nor an array, as of a database; row 2 cannot be read."""

    def __init__(self, name=None):
        super().__init__(IMAGES)
        self.hidden, self.array, self.paths = self.array, None, name and [f'{i}.{name}' for i in range(12)]

    def __len__(self):
        return 12

    def load(self, i):
        if i == 2:
            raise UnreadableImageError('row 2: gone', 'gone')
        return Image.fromarray(self.hidden[i])


RANDOM = [dict(type='AllGenerators'), dict(type='torchvision/RandomHorizontalFlip'),
          dict(type='torchvision/RandomCrop', size=4)]


# the in-memory door

def test_rows_of_the_in_memory_door():
    dataset = IndexedDataset(ArraySource(IMAGES, LABELS))
    keys = [Key(5, 'b', 7), Key(2, 'a', 1), 9, Key(5, 'b', 8), Key(0, 'a', 2)]
    got = dataset[keys]
    assert list(got) == ['b', 'a', 'batch']
    for stream, index, draw in (('b', [5, 5], [7, 8]), ('a', [2, 0], [1, 2]), ('batch', [9], [0])):
        rows = got[stream]
        assert np.array_equal(rows.images[0].numpy(), IMAGES[index]) and rows.images[0].dtype == torch.uint8
        assert rows.index.tolist() == index and rows.draw.tolist() == draw and rows.label is None
        assert len(rows.images) == 1 and rows.index.dtype == rows.draw.dtype == torch.long
    assert dataset[4]['batch'].images[0].shape == (1, 8, 6, 3) == dataset[Key(4)]['batch'].images[0].shape
    assert dataset[[]] == {} and len(dataset) == 12
    large = dataset[[Key(0, 'batch', 2**63 - 1)]]['batch'].draw
    assert large.item() == 2**63 - 1
    for bad in (12, -1):
        with pytest.raises(IndexError):
            dataset[bad]


def test_labels_only_in_test_mode():
    dataset = IndexedDataset(ArraySource(IMAGES, LABELS), test_mode=True)
    assert dataset[[3, 1]]['batch'].label.tolist() == LABELS[[3, 1]].tolist()
    assert IndexedDataset(ArraySource(IMAGES), test_mode=True)[[3, 1]]['batch'].label.tolist() == [-1, -1]
    assert IndexedDataset(ArraySource(IMAGES)).labels is None


def test_features_and_metainfo():
    features = RNG.normal(size=(4, 3)).astype(np.float32)
    dataset = IndexedDataset(ArraySource(features, [0, 1, 1, 0], ['x', 'y'], name='cached'))
    assert np.array_equal(dataset[[2, 0]]['batch'].images[0].numpy(), features[[2, 0]])
    assert dataset.metainfo == dict(dataset='cached', classes=['x', 'y']) and dataset.classes == ['x', 'y']
    dataset.metainfo['classes'].append('z')
    assert dataset.classes == ['x', 'y']
    with pytest.raises(ValueError, match='leave `pipelines` out'):
        IndexedDataset(ArraySource(features), pipelines=dict(batch=[[]]))
    with pytest.raises(ValueError, match='leave `size` out'):
        IndexedDataset(ArraySource(features), size=8)


def test_indices_renumber(tmp_path):
    whole = IndexedDataset(ArraySource(IMAGES, LABELS))
    part = IndexedDataset(ArraySource(IMAGES, LABELS), indices=[7, 0, 9], test_mode=True)
    rows = part[[0, 2]]['batch']
    assert np.array_equal(rows.images[0].numpy(), IMAGES[[7, 9]]) and rows.index.tolist() == [0, 2]
    assert rows.label.tolist() == LABELS[[7, 9]].tolist() == part.labels[[0, 2]].tolist() and len(part) == 3
    others = [IndexedDataset(ArraySource(IMAGES), indices=i).fingerprint for i in ([7, 9, 0], [7, 0], range(12))]
    assert len({whole.fingerprint, part.fingerprint, *others}) == 5
    files = IndexedDataset(FolderSource(make_folder(tmp_path)), indices=[4, 1], pipelines=dict(batch=[[]]))
    assert files.paths == ['4.png', '1.png']
    assert np.array_equal(files[0]['batch'].images[0][0].permute(1, 2, 0), np.asarray(Image.open(tmp_path / '4.png')))
    with pytest.raises(IndexError):
        part[3]
    for bad, message in (([12], r'lie in 0\.\.11'), ([-1], 'lie in'), ([1, 1], 'more than once'), ([], 'non-empty'),
                         ([0.5], 'whole numbers')):
        with pytest.raises(ValueError, match=message):
            IndexedDataset(ArraySource(IMAGES), indices=bad)


# the bank

@pytest.fixture
def store(tmp_path, monkeypatch):
    """The cache folder, empty."""
    monkeypatch.setenv('MMCLUSTER_CACHE', str(tmp_path / 'store'))
    return tmp_path / 'store' / 'images'


def banks_in(folder):
    return sorted(folder.glob('*.npy'))


def test_bank_is_decoded_cached_and_shared(tmp_path, store):
    root = make_folder(tmp_path / 'x')
    expected = np.stack([np.asarray(Image.open(root / f'{i}.png')) for i in range(5)])
    first = image_bank(FolderSource(root))
    assert np.array_equal(first, expected)
    assert image_bank(FolderSource(root)) is first
    assert image_bank(FolderSource(root), size=4) is not first is not image_bank(FolderSource(root, mode='L'))
    name = FolderSource(root).cache_name
    assert len(list(root.iterdir())) == 5 and {path.name for path in banks_in(store)} == {f'{name}_native_RGB.npy', f'{name}_4x4_RGB.npy', f'{name}_native_L.npy'}
    key = (FolderSource(root).cache_name, None, 'RGB')
    assert key in _BANKS
    del first
    assert key not in _BANKS


def test_cache_file_is_used_and_checked(tmp_path, monkeypatch, store):
    root = make_folder(tmp_path / 'x')
    expected = image_bank(FolderSource(root)).numpy().copy()
    file, = banks_in(store)
    intact = file.read_bytes()
    assert np.array_equal(np.load(file), expected)

    decoded = []
    load = FolderSource.load
    monkeypatch.setattr(FolderSource, 'load', lambda self, i: decoded.append(i) or load(self, i))
    assert np.array_equal(image_bank(FolderSource(root)), expected) and not decoded
    flipped = bytearray(intact)
    flipped[300] ^= 1
    wrong_rows = tmp_path / 'wrong.npy'
    write_bank(wrong_rows, expected[:4])
    for damage in (intact[:-500], b'', bytes(flipped), wrong_rows.read_bytes(), b'x' * 1000):
        file.write_bytes(damage)
        decoded.clear()
        with pytest.warns(UserWarning, match='is damaged .* built again'):
            assert np.array_equal(image_bank(FolderSource(root)), expected)
        assert set(decoded) == set(range(5)) and file.read_bytes() == intact
    os.utime(root / '2.png', (2e9, 2e9))
    decoded.clear()
    image_bank(FolderSource(root))
    assert set(decoded) == set(range(5))


def test_failed_writer_leaves_nothing(tmp_path, monkeypatch):
    file = tmp_path / 'cache' / 'x.npy'
    assert write_bank(file, IMAGES)
    before = file.read_bytes()
    real = np.lib.format.write_array

    def torn(stream, array, allow_pickle):
        real(stream, array[:3], allow_pickle=allow_pickle)
        raise failure

    monkeypatch.setattr(np.lib.format, 'write_array', torn)
    for failure in (OSError('disk full'), KeyboardInterrupt()):
        with pytest.warns(UserWarning, match='cannot write .*disk full') if isinstance(failure, OSError) \
                else pytest.raises(KeyboardInterrupt):
            write_bank(file, IMAGES[::-1].copy())
        assert os.listdir(file.parent) == ['x.npy'] and file.read_bytes() == before
    assert np.array_equal(read_bank(file, ArraySource(IMAGES)), IMAGES)


def test_remains_of_a_killed_writer_are_removed(tmp_path):
    old, fresh = tmp_path / '.x.npy.dead', tmp_path / '.x.npy.alive'
    for path in (old, fresh):
        path.write_bytes(b'x')
    os.utime(old, (1e9, 1e9))
    write_bank(tmp_path / 'x.npy', IMAGES)
    assert sorted(os.listdir(tmp_path)) == ['.x.npy.alive', 'x.npy']


def test_cache_choices(tmp_path, store):
    root = make_folder(tmp_path / 'x')
    IndexedDataset(FolderSource(root), cache=False)
    assert not store.exists()
    IndexedDataset(FolderSource(root), cache=str(tmp_path / 'elsewhere'))
    assert len(banks_in(tmp_path / 'elsewhere')) == 1 and not store.exists()
    store.parent.write_text('a file where the folder should be: not writable, even for root')
    with pytest.warns(UserWarning, match='nothing is cached. Set .* MMCLUSTER_CACHE to a writable folder'):
        assert len(IndexedDataset(FolderSource(root))) == 5


def test_resizing_and_odd_sizes(tmp_path):
    root = make_folder(tmp_path / 'x', 3)
    Image.new('RGB', (20, 10)).save(root / '1.png')
    message = r'1 images differ .*first one \(6x8\), .*1.png \(20x10\). Set `size`, .*size=6'
    with pytest.raises(ValueError, match=message):
        IndexedDataset(FolderSource(root))
    bank = image_bank(FolderSource(root), size=(4, 5))
    expected = Image.open(root / '0.png').resize((5, 4), Image.Resampling.BICUBIC)
    assert bank.shape == (3, 4, 5, 3) and np.array_equal(bank[0], np.asarray(expected)) and not bank[1].any()
    digits = IndexedDataset(DigitsSource(), size=16)
    expected = Image.fromarray(DigitsSource().array[5, :, :, 0]).resize((16, 16), Image.Resampling.BICUBIC)
    assert np.array_equal(digits[5]['batch'].images[0][0, :, :, 0], np.asarray(expected))


def test_a_bank_beyond_the_memory_is_refused(tmp_path):
    with pytest.raises(MemoryError, match='decoded images take .* GiB. Give a smaller `size`'):
        IndexedDataset(FolderSource(make_folder(tmp_path)), size=10**7)


def test_a_bank_that_leaves_little_memory_warns(tmp_path, monkeypatch):
    root, limit = make_folder(tmp_path / 'images', 5), tmp_path / 'memory.max'
    monkeypatch.setattr(memory, '_LIMITS', (tmp_path / 'none', limit))
    bank = 5 * 6 * 8 * 3
    for text, outcome in (('max\n', None), (f'{2 * bank}\n', None), (f'{2 * bank - 1}\n', UserWarning),
                          (f'{bank}\n', UserWarning), (f'{bank - 1}\n', MemoryError)):
        limit.write_text(text)
        if outcome is UserWarning:
            with pytest.warns(UserWarning, match='or pipelines without `size`, which decode in the workers'):
                image_bank(FolderSource(root), cache=False)
        elif outcome is MemoryError:
            with pytest.raises(MemoryError, match='decode in the workers'):
                image_bank(FolderSource(root), cache=False)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter('error')
                assert image_bank(FolderSource(root), cache=False).numel() == bank


# the worker door

def test_worker_door_forms():
    def leave(convert):
        def transform(results):
            results['img'] = convert(np.array(results['img']))
            return results
        return transform

    views = [[], [leave(np.asarray)], [leave(lambda a: torch.from_numpy(a).permute(2, 0, 1))],
             [leave(lambda a: a[..., 0])], [leave(lambda a: Image.fromarray(a).convert('L'))]]
    images = IndexedDataset(ArraySource(IMAGES), pipelines=dict(batch=views))[[3, 8]]['batch'].images
    for image in images[:3]:
        assert np.array_equal(image, IMAGES[[3, 8]].transpose(0, 3, 1, 2)) and image.is_contiguous()
        assert image.dtype == torch.uint8
    assert np.array_equal(images[3], IMAGES[[3, 8], None, :, :, 0]) and images[4].shape == (2, 1, 8, 6)
    gray = IndexedDataset(ArraySource(IMAGES[..., 0]), pipelines=dict(batch=[[]]))
    assert np.array_equal(gray[2]['batch'].images[0], IMAGES[2, None, None, :, :, 0])

    for convert, message in ((lambda a: a.astype(np.float32), 'array float32'),
                             (lambda a: torch.zeros(2, 2), 'a tensor'),
                             (lambda a: Image.fromarray(a).convert('CMYK'), 'mode CMYK')):
        with pytest.raises(TypeError, match=message):
            IndexedDataset(ArraySource(IMAGES), pipelines=dict(batch=[[leave(convert)]]))[0]
    with pytest.raises(ValueError, match='dropped row 4'):
        IndexedDataset(ArraySource(IMAGES), pipelines=dict(batch=[[lambda results: None]]))[4]
    with pytest.raises(TypeError, match='is a list of transforms'):
        IndexedDataset(ArraySource(IMAGES), pipelines=dict(batch=[dict(type='AllGenerators')]))


def test_streams_choose_their_pipelines(tmp_path):
    half = [dict(type='torchvision/CenterCrop', size=4)]
    dataset = IndexedDataset(ArraySource(IMAGES), pipelines=dict(batch=[[], half], labelled=[half], test=[[]]))
    got = dataset[[Key(1, 'batch'), Key(1, 'labelled'), Key(1, 'anchor'), Key(1, 'test')]]
    assert {name: [tuple(v.shape[2:]) for v in rows.images] for name, rows in got.items()} == dict(
        batch=[(8, 6), (4, 4)], labelled=[(4, 4)], anchor=[(8, 6), (4, 4)], test=[(8, 6)])
    with pytest.raises(KeyError, match="no pipeline for the stream 'test'.*Add pipelines"):
        IndexedDataset(ArraySource(IMAGES), pipelines=dict(batch=[[]]))[Key(0, 'test')]
    root = make_folder(tmp_path)
    Image.new('RGB', (20, 10)).save(root / '9.png')
    with pytest.raises(ValueError, match="view 0 of stream 'batch' has images of different shapes"):
        IndexedDataset(FolderSource(root), pipelines=dict(batch=[[]]))[[0, 5]]
    both = IndexedDataset(FolderSource(root), size=6, pipelines=dict(batch=[[]]))
    assert both[[0, 5]]['batch'].images[0].shape == (2, 3, 6, 6)


def test_views_depend_on_draw_index_and_view_alone():
    dataset = IndexedDataset(ArraySource(IMAGES), pipelines=dict(batch=[RANDOM[:1], RANDOM[:1]]))
    noise = lambda rows, view: rows['batch'].images[view][:, :, 0, 0].tolist()  # noqa: E731
    first = dataset[[Key(3, draw=5), Key(4, draw=5), Key(3, draw=6)]]
    drawn = [tuple(value) for view in range(2) for value in noise(first, view)]
    assert len(set(drawn)) == 6
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    second = dataset[[Key(3, draw=6), Key(3, draw=5)]]
    for view in range(2):
        assert noise(second, view) == [noise(first, view)[2], noise(first, view)[0]]
    per_generator = np.array(drawn).T
    assert all(len(set(values)) > 3 for values in per_generator.tolist())


def test_a_chosen_row_is_seeded_by_its_own_number():
    pipelines = dict(batch=[RANDOM[:1]])
    whole, part = (IndexedDataset(ArraySource(IMAGES), pipelines=pipelines, indices=i) for i in (None, [7, 2]))
    assert np.array_equal(part[Key(1, draw=4)]['batch'].images[0][0, :, 0, 0],
                          whole[Key(1, draw=4)]['batch'].images[0][0, :, 0, 0])


def test_a_transform_may_change_the_image_in_place(tmp_path):
    def blacken(results):
        results['img'].paste(0, (0, 0, 3, 3))
        return results

    for source in (ArraySource(IMAGES), FolderSource(make_folder(tmp_path))):
        dataset = IndexedDataset(source, pipelines=dict(batch=[[blacken], []], test=[[]]))
        expected = dataset[Key(2, 'test')]['test'].images[0]
        views = dataset[2]['batch'].images
        assert not views[0][..., :3, :3].any() and torch.equal(views[1], expected)
        assert torch.equal(dataset[Key(2, 'test')]['test'].images[0], expected)


def test_generators_of_the_caller_are_restored():
    dataset = IndexedDataset(ArraySource(IMAGES), pipelines=dict(batch=[RANDOM], test=[[lambda results: 1 / 0]]))

    def numbers(use):
        random.seed(3), np.random.seed(3), torch.manual_seed(3)
        if use == 'views':
            dataset[[1, 2]]
        elif use == 'failure':
            with pytest.raises(ZeroDivisionError):
                dataset[[Key(1, 'test')]]
        return random.random(), np.random.rand(), torch.rand(()).item()

    assert numbers('nothing') == numbers('views') == numbers('failure')


def run_loader(dataset, workers, persistent=False, epochs=2, method=None, **rank):
    """Everything that a loader yields: (stream, index, draw, view) -> pixels, and the rows in order."""
    streams = dict(batch=dict(size=4), labelled=dict(size=2, order='replace'))
    sampler = StreamSampler(dataset, streams, seed=11, **rank)
    loader = DataLoader(dataset, batch_size=None, sampler=sampler, num_workers=workers, collate_fn=identity,
                        persistent_workers=persistent, multiprocessing_context=method)
    found, order = {}, []
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        for item in loader:
            for stream, rows in item.items():
                order += [(stream, int(index)) for index in rows.index]
                for b, (index, draw) in enumerate(zip(rows.index.tolist(), rows.draw.tolist())):
                    for view, images in enumerate(rows.images):
                        found[stream, index, draw, view] = images[b].numpy().tobytes()
    return found, order


@pytest.mark.parametrize('door', ['files', 'array', 'memory'])
def test_views_are_equal_for_any_workers_and_ranks(tmp_path, door):
    source = FolderSource(make_folder(tmp_path, 12)) if door == 'files' else ArraySource(IMAGES)
    dataset = IndexedDataset(source, pipelines=None if door == 'memory' else dict(batch=[RANDOM, RANDOM]))
    expected = run_loader(dataset, 0)
    assert len(expected[0]) == 2 * 3 * 6 * (1 if door == 'memory' else 2)
    for workers, persistent in ((2, False), (2, True)):
        assert run_loader(dataset, workers, persistent) == expected
    joined = {}
    for rank in range(2):
        part, _ = run_loader(dataset, 0, rank=rank, world_size=2)
        assert not set(part) & set(joined)
        joined.update(part)
    assert joined == expected[0]


@pytest.mark.parametrize('pipelines', [None, dict(batch=[[dict(type='torchvision/RandomCrop', size=4)]])])
def test_spawned_workers(pipelines):
    dataset = IndexedDataset(ArraySource(IMAGES), pipelines=pipelines)
    assert run_loader(dataset, 1, epochs=1, method='spawn') == run_loader(dataset, 0, epochs=1)


def test_a_killed_worker_surfaces():
    dataset = IndexedDataset(dict(type='Deadly'), pipelines=dict(batch=[[]]))
    loader = DataLoader(dataset, batch_size=None, num_workers=1, collate_fn=identity,
                        sampler=StreamSampler(dataset, dict(batch=dict(size=4, order='fixed'))))
    with pytest.raises(RuntimeError, match='DataLoader worker .* (killed by signal|exited unexpectedly)'):
        list(loader)
    assert 'killed by signal' in IndexedDataset.__doc__


@pytest.mark.parametrize('name, title', [(None, 'image 2'), ('tiff', '2.tiff')])
def test_images_that_are_no_files(name, title):
    source = dict(type='Nameless', name=name)
    with pytest.raises(UnreadableImageError, match=title):
        IndexedDataset(source, size=8)
    dataset = IndexedDataset(source, pipelines=dict(batch=[[]]))
    with pytest.raises(UnreadableImageError, match=title):
        dataset[[Key(1), Key(2)]]


@pytest.mark.parametrize('workers', [0, 2])
def test_runner_builds_the_loader(workers):
    config = dict(
        batch_size=None, num_workers=workers, persistent_workers=workers > 0,
        collate_fn=dict(type='mmcluster.identity'),
        dataset=dict(type='IndexedDataset', source=dict(type='DigitsSource')),
        sampler=dict(type='StreamSampler', streams=dict(batch=dict(size=300), extra=dict(size=2, order='replace'))))
    with DefaultScope.overwrite_default_scope('mmcluster'):
        loader = Runner.build_dataloader(config, seed=4)
        sweep = Runner.build_dataloader({**config, 'sampler': dict(type='SweepSampler', batch_size=500)}, seed=4)
    assert len(loader) == 5 and loader.sampler.seed == 4
    items = list(loader)
    assert [rows.images[0].shape for rows in items[0].values()] == [(300, 8, 8, 1), (2, 8, 8, 1)]
    assert len(torch.cat([item['batch'].index for item in items]).unique()) == 1500
    rows = [item['test'] for item in sweep]
    assert torch.cat([part.index for part in rows]).tolist() == list(range(1797))
    assert np.array_equal(torch.cat([part.images[0] for part in rows]), DigitsSource().array)
    loader._iterator = sweep._iterator = None


def test_no_warning_in_ordinary_use(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        run_loader(IndexedDataset(FolderSource(make_folder(tmp_path, 6))), 0)
        run_loader(IndexedDataset(ArraySource(IMAGES), pipelines=dict(batch=[RANDOM])), 0)
