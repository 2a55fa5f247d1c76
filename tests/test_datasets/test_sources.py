"""Sources give the right pixels, labels, order and fingerprint, and name what is wrong with the data."""
import importlib.util
import io
import os
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmcluster.datasets import (ArraySource, CIFAR10Source, CIFAR100Source, ClassFolderSource, DigitsSource,
                                FolderSource, ImageSource, IndexedDataset)
from mmcluster.datasets.cifar import read_pickle
from mmcluster.registry import DATASETS

RNG = np.random.default_rng(0)


def save(path, value=0, size=(5, 4)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', size, (value, value, value)).save(path)


def value_of(source, i):
    return np.asarray(source.load(i))[0, 0, 0]


# arrays

def test_digits():
    from sklearn.datasets import load_digits
    source, digits = DigitsSource(), load_digits()
    assert source.array.shape == (1797, 8, 8, 1) and source.array.dtype == np.uint8 and len(source) == 1797
    assert source.array.min() == 0 and source.array.max() == 255
    assert np.array_equal(source.labels, digits.target) and source.labels.dtype == np.int64
    assert np.abs(source.array[..., 0] - digits.images * 255 / 16).max() <= 0.5
    assert source.load(3).mode == 'L' and np.array_equal(np.asarray(source.load(3)), source.array[3, :, :, 0])


def test_array_source_forms(tmp_path):
    images = RNG.integers(0, 256, (6, 4, 5, 3), dtype=np.uint8)
    np.save(tmp_path / 'x.npy', images)
    np.save(tmp_path / 'y.npy', np.arange(6, dtype=np.int32))
    source = DATASETS.build(dict(type='ArraySource', array=str(tmp_path / 'x.npy'), labels=str(tmp_path / 'y.npy')))
    assert np.array_equal(source.array, images) and source.labels.tolist() == list(range(6))
    assert ArraySource(images[..., 0]).array.shape == (6, 4, 5, 1)
    features = ArraySource(RNG.normal(size=(6, 3)))
    assert features.array.dtype == np.float32 and features.labels is None
    for bad in (images.astype(int), images[:0], images[..., :2], images[0, 0]):
        with pytest.raises(ValueError, match='expected uint8|no images'):
            ArraySource(bad)
    with pytest.raises(ValueError, match='6 images need labels'):
        ArraySource(images, np.zeros(5))
    np.save(tmp_path / 'o.npy', np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match='pickle'):
        ArraySource(tmp_path / 'o.npy')


def test_array_fingerprint_sees_every_byte_and_no_label():
    images = RNG.integers(0, 256, (50, 4, 4, 3), dtype=np.uint8)
    first = ArraySource(images, np.zeros(50)).fingerprint
    assert first == ArraySource(images.copy(), np.ones(50)).fingerprint and 0 <= first < 2**63
    for place in ((0, 0, 0, 0), (23, 1, 2, 1), (49, 3, 3, 2)):
        changed = images.copy()
        changed[place] ^= 1
        assert ArraySource(changed).fingerprint != first
    assert ArraySource(images.reshape(25, 8, 4, 3)).fingerprint != first
    assert ArraySource(images[::-1]).fingerprint != first


# CIFAR

def cifar_parts(counts, classes):
    """Random rows (n, 3072) and labels (n,) for each file name."""
    return {name: (RNG.integers(0, 256, (n, 3072), dtype=np.uint8), RNG.integers(0, classes, n))
            for name, n in counts.items()}


def planes_to_images(rows):
    """Slow oracle: row = 1024 red, 1024 green, 1024 blue values, each row by row."""
    images = np.zeros((len(rows), 32, 32, 3), np.uint8)
    for c in range(3):
        for h in range(32):
            images[:, h, :, c] = rows[:, c * 1024 + h * 32:c * 1024 + h * 32 + 32]
    return images


TEN = {**{f'data_batch_{i}': i for i in range(1, 6)}, 'test_batch': 4}


def write_ten(root, version, parts):
    names = [f'kind{i}' for i in range(10)]
    folder = root / ('cifar-10-batches-py' if version == 'python' else 'cifar-10-batches-bin')
    folder.mkdir(parents=True)
    for name, (rows, labels) in parts.items():
        if version == 'python':
            content = {b'batch_label': b'x', b'labels': labels.tolist(), b'data': rows, b'filenames': [b'a']}
            (folder / name).write_bytes(pickle.dumps(content, protocol=2))
        else:
            (folder / f'{name}.bin').write_bytes(np.column_stack([labels.astype(np.uint8), rows]).tobytes())
    if version == 'python':
        (folder / 'batches.meta').write_bytes(pickle.dumps({'label_names': names}, protocol=2))
    else:
        (folder / 'batches.meta.txt').write_text('\n'.join(names) + '\n\n')
    return folder


@pytest.mark.parametrize('version', ['python', 'binary'])
def test_cifar10(tmp_path, version):
    parts = cifar_parts(TEN, 10)
    folder = write_ten(tmp_path, version, parts)
    rows = np.concatenate([parts[name][0] for name in TEN])
    labels = np.concatenate([parts[name][1] for name in TEN])
    source = CIFAR10Source(tmp_path)
    assert np.array_equal(source.array, planes_to_images(rows)) and np.array_equal(source.labels, labels)
    assert source.classes == tuple(f'kind{i}' for i in range(10)) and source.root == folder and source.paths is None
    train, test = CIFAR10Source(folder, 'train'), CIFAR10Source(str(tmp_path), 'test')
    assert np.array_equal(train.array, source.array[:15]) and np.array_equal(test.array, source.array[15:])
    assert len({source.fingerprint, train.fingerprint, test.fingerprint}) == 3
    with pytest.raises(ValueError, match="split must be one of .*'val'"):
        CIFAR10Source(tmp_path, 'val')


def test_cifar10_versions_agree(tmp_path):
    parts = cifar_parts(TEN, 10)
    write_ten(tmp_path / 'a', 'python', parts), write_ten(tmp_path / 'b', 'binary', parts)
    assert CIFAR10Source(tmp_path / 'a').fingerprint == CIFAR10Source(tmp_path / 'b').fingerprint


@pytest.mark.parametrize('version', ['python', 'binary'])
@pytest.mark.parametrize('coarse', [False, True])
def test_cifar100(tmp_path, version, coarse):
    folder = tmp_path / ('cifar-100-python' if version == 'python' else 'cifar-100-binary')
    folder.mkdir()
    content = {}
    for name, n in (('train', 7), ('test', 3)):
        rows = RNG.integers(0, 256, (n, 3072), dtype=np.uint8)
        fine, rough = RNG.integers(0, 100, n), RNG.integers(0, 20, n)
        content[name] = rows, rough if coarse else fine
        if version == 'python':
            fields = {b'data': rows, b'fine_labels': fine.tolist(), b'coarse_labels': rough.tolist()}
            (folder / name).write_bytes(pickle.dumps(fields, protocol=2))
        else:
            (folder / f'{name}.bin').write_bytes(np.column_stack([rough, fine, rows]).astype(np.uint8).tobytes())
    source = CIFAR100Source(tmp_path, coarse=coarse)
    assert np.array_equal(source.array, planes_to_images(np.concatenate([content['train'][0], content['test'][0]])))
    assert source.labels.tolist() == [*content['train'][1], *content['test'][1]] and source.classes == ()
    assert np.array_equal(CIFAR100Source(tmp_path, 'test', coarse).labels, content['test'][1])
    assert source.name == ('CIFAR-20' if coarse else 'CIFAR-100') + ' train+test'


def test_cifar_faults(tmp_path):
    with pytest.raises(FileNotFoundError, match='holds neither cifar-10-batches-py/test_batch or'):
        CIFAR10Source(tmp_path)
    folder = write_ten(tmp_path / 'b', 'binary', cifar_parts(TEN, 10))
    (folder / 'data_batch_3.bin').unlink()
    with pytest.raises(FileNotFoundError, match='lacks data_batch_3.bin'):
        CIFAR10Source(tmp_path / 'b')
    (folder / 'data_batch_3.bin').write_bytes(b'1' * 3000)
    with pytest.raises(ValueError, match='data_batch_3.bin has 3000 bytes, not a multiple of 3073'):
        CIFAR10Source(tmp_path / 'b')
    folder = write_ten(tmp_path / 'p', 'python', cifar_parts(TEN, 10))
    (folder / 'data_batch_2').write_bytes((folder / 'data_batch_2').read_bytes()[:500])
    with pytest.raises(ValueError, match='data_batch_2 cannot be read'):
        CIFAR10Source(tmp_path / 'p')
    (folder / 'data_batch_2').write_bytes(pickle.dumps({'labels': [1], 'data': np.zeros((2, 3072))}, protocol=2))
    with pytest.raises(ValueError, match=r'pixels \(2, 3072\) and labels \(1,\)'):
        CIFAR10Source(tmp_path / 'p')


class Evil:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize('protocol', [0, 2, 4])
def test_pickles_cannot_run_code(tmp_path, protocol):
    witness, control = tmp_path / 'witness', tmp_path / 'control'
    pickle.loads(pickle.dumps({'data': Evil(os.mkdir, str(control))}, protocol=protocol))
    assert control.exists()  # the attack does work on the ordinary unpickler
    attacks = [Evil(os.mkdir, str(witness)), Evil(eval, f'open({str(witness)!r}, "w")'), Evil(getattr, 'x', 'upper'),
               Evil(np.load, str(witness)), Evil(print, 'x')]
    for attack in attacks:
        (tmp_path / 'x').write_bytes(pickle.dumps({'data': attack}, protocol=protocol))
        with pytest.raises(ValueError, match='x cannot be read: the pickle asks for'):
            read_pickle(tmp_path / 'x')
    assert not witness.exists()
    content = {'data': np.arange(6, dtype=np.uint8).reshape(2, 3), b'names': ['a', b'\xff'], 'n': (1, 2.5, None)}
    (tmp_path / 'x').write_bytes(pickle.dumps(content, protocol=protocol))
    got = read_pickle(tmp_path / 'x')
    assert np.array_equal(got['data'], content['data']) and got['n'] == content['n']
    assert set(got) == {'data', 'names', 'n'}


# folders

def test_class_folders_with_splits(tmp_path):
    order = ['train/bee/img10.png', 'train/bee/img2.png', 'train/cat/a.JPG', 'train/cat/deep/b.png', 'test/bee/x.png',
             'test/cat/y.png']
    for i, path in reversed(list(enumerate(order))):
        save(tmp_path / path, 10 * i)
    for noise in ('train/bee/.hidden.png', 'train/.cache/z.png'):
        save(tmp_path / noise)
    (tmp_path / 'train/bee/notes.txt').write_text('x')
    source = ClassFolderSource(tmp_path)
    assert source.paths == order and source.labels.tolist() == [0, 0, 1, 1, 0, 1] and source.classes == ('bee', 'cat')
    assert [abs(int(value_of(source, i)) - 10 * i) <= 1 for i in range(6)] == [True] * 6
    assert ClassFolderSource(tmp_path, splits=['test']).paths == order[4:]
    assert ClassFolderSource(tmp_path, splits='test').paths == order[4:]
    some = ClassFolderSource(tmp_path, classes=['cat'])
    assert some.paths == [order[2], order[3], order[5]] and some.labels.tolist() == [0] * 3
    swapped = ClassFolderSource(tmp_path, classes=['cat', 'bee'])
    assert swapped.labels.tolist() == [0, 0, 1, 1, 0, 1] and swapped.paths[0] == order[2]
    assert source.array is None and source.load(0).size == (5, 4)


def test_class_folder_faults(tmp_path):
    with pytest.raises(FileNotFoundError, match='is not a folder. Unpack'):
        ClassFolderSource(tmp_path / 'none')
    save(tmp_path / 'train' / 'a' / '1.png')
    with pytest.raises(FileNotFoundError, match=r"no folder 'test'; found \['train'\].*pass None"):
        ClassFolderSource(tmp_path)
    with pytest.raises(ValueError, match="look like splits"):
        ClassFolderSource(tmp_path, splits=None)
    save(tmp_path / 'test' / 'b' / '1.png')
    with pytest.raises(FileNotFoundError, match=r"class folders \['a', 'b'\] are not in every split"):
        ClassFolderSource(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"class folders \['c'\]"):
        ClassFolderSource(tmp_path, splits=['train'], classes=['a', 'c'])
    (tmp_path / 'train' / 'b').mkdir()
    with pytest.raises(FileNotFoundError, match='train/b holds no image'):
        ClassFolderSource(tmp_path, splits=['train'])
    with pytest.raises(FileNotFoundError, match='no class folders; use FolderSource'):
        ClassFolderSource(tmp_path / 'train' / 'b', splits=None)


def test_folder_without_labels(tmp_path):
    for i, name in enumerate(['b.png', 'a.png', 'sub/c.png']):
        save(tmp_path / name, i)
    source = FolderSource(tmp_path)
    assert source.paths == ['a.png', 'b.png', 'sub/c.png'] and source.labels is None and source.classes == ()
    assert [value_of(source, i) for i in range(3)] == [1, 0, 2]
    assert FolderSource(tmp_path, recursive=False).paths == ['a.png', 'b.png']
    with pytest.raises(FileNotFoundError, match='recursive=True'):
        (tmp_path / 'top').mkdir()
        save(tmp_path / 'top' / 'x' / 'a.png')
        FolderSource(tmp_path / 'top', recursive=False)


def test_links_to_folders_are_entered_once(tmp_path):
    save(tmp_path / 'far' / 'a.png')
    (tmp_path / 'near').mkdir()
    (tmp_path / 'near' / 'link').symlink_to(tmp_path / 'far')
    (tmp_path / 'far' / 'loop').symlink_to(tmp_path / 'near')
    assert FolderSource(tmp_path / 'near').paths == ['link/a.png']


@pytest.mark.parametrize('text, labels, classes', [
    ('path,label\na.png,cat\nb.png,ant\nc.png,cat\n', [1, 0, 1], ('ant', 'cat')),
    ('c.png,10\na.png,9\n./b.png,-1\n', [0, -1, 1], ('9', '10')),
    ('\ufefffile,class\r\na.png,0\r\nb.png,\r\nc.png,1\r\n', [0, -1, 1], ('0', '1')),
    ('a.png, 01\nb.png,1\nc.png,2\n\n', [0, 0, 1], ('1', '2')),
    ('a.png,x\nb.png,7\nc.png,"y, z"\n', [1, 0, 2], ('7', 'x', 'y, z'))])
def test_labels_from_csv(tmp_path, text, labels, classes):
    for name in 'abc':
        save(tmp_path / f'{name}.png')
    (tmp_path / 'labels.csv').write_text(text, encoding='utf-8', newline='')
    for table in ('labels.csv', tmp_path / 'labels.csv'):
        source = FolderSource(tmp_path, table)
        assert source.labels.tolist() == labels and source.labels.dtype == np.int64 and source.classes == classes


@pytest.mark.parametrize('text, message', [
    ('a.png,1\nb.png,2\nd.png,3\nc.png,1\n', 'line 3: there is no image d.png among 3'),
    ('path,label\na.png,1\nc.png,1\n', 'no line for the image b.png'),
    ('a.png,1\nb.png,1\na.png,2\nc.png,1\n', 'line 3: image a.png has a label already'),
    ('a.png,1\nb.png,1,5\nc.png,1\n', 'line 2: 3 columns, expected path and label')])
def test_csv_that_does_not_fit(tmp_path, text, message):
    for name in 'abc':
        save(tmp_path / f'{name}.png')
    (tmp_path / 'labels.csv').write_text(text)
    with pytest.raises(ValueError, match='labels.csv does not fit the images:') as error:
        FolderSource(tmp_path, 'labels.csv')
    assert message in str(error.value)
    with pytest.raises(FileNotFoundError, match='label file .*none.csv does not exist'):
        FolderSource(tmp_path, 'none.csv')


def test_file_fingerprint_sees_names_sizes_and_order(tmp_path):
    for i, name in enumerate(['a.png', 'b.png']):
        save(tmp_path / name, i)
    first = FolderSource(tmp_path).fingerprint
    assert FolderSource(tmp_path).fingerprint == first
    (tmp_path / 'b.png').rename(tmp_path / 'c.png')
    renamed = FolderSource(tmp_path).fingerprint
    (tmp_path / 'c.png').rename(tmp_path / 'b.png')
    assert FolderSource(tmp_path).fingerprint == first
    save(tmp_path / 'b.png', 1, size=(50, 40))
    resized = FolderSource(tmp_path).fingerprint
    save(tmp_path / 'c.png', 1)
    assert len({first, renamed, resized, FolderSource(tmp_path).fingerprint}) == 4


# the archive unpacker

def unpacker():
    path = Path(__file__).resolve().parents[2] / 'tools' / 'dataset_converters' / 'unpack_archive.py'
    spec = importlib.util.spec_from_file_location('unpack_archive', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_archive(path, files):
    with tarfile.open(path, 'w:xz') as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


FILES = {f'{split}/{kind}/{i:02}.jpg': f'{split}{kind}{i}'.encode()
         for split, n in (('train', 10), ('test', 5)) for kind in 'ab' for i in range(n)}


def files_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob('*') if path.is_file()}


@pytest.mark.parametrize('top', ['', 'outer/'])
def test_unpack_whole(tmp_path, top, capsys):
    tool = unpacker()
    archive = make_archive(tmp_path / 'x.tar.xz', {**{top + name: text for name, text in FILES.items()},
                                                   top + 'README.txt': b'no image'})
    out = tmp_path / 'data' / 'x'
    assert tool.main([str(archive), '--out', str(out), '--expect', '30']) == 0 and files_of(out) == FILES
    before = (out / 'train/a/00.jpg').stat().st_mtime_ns
    assert tool.main([str(archive), '--out', str(out)]) == 0
    assert (out / 'train/a/00.jpg').stat().st_mtime_ns == before and files_of(out) == FILES
    assert tool.main([str(archive), '--out', str(tmp_path / 'y'), '--expect', '31']) == 1
    assert 'holds 30 images, expected 31' in capsys.readouterr().err and not (tmp_path / 'y').exists()
    (out / 'train/a/00.jpg').unlink()
    assert tool.main([str(archive), '--out', str(out)]) == 1
    assert 'differs from its source in 1 files, beginning with train/a/00.jpg' in capsys.readouterr().err


def test_unpack_subset_is_even(tmp_path, monkeypatch):
    monkeypatch.setenv('MMCLUSTER_DATA', str(tmp_path / 'data'))
    archive = make_archive(tmp_path / 'x.tar.xz', FILES)
    assert unpacker().main([str(archive), '--subset', '6']) == 0
    assert sorted(files_of(tmp_path / 'data' / 'x_6')) == sorted(
        ['train/a/02.jpg', 'train/a/07.jpg', 'train/b/02.jpg', 'train/b/07.jpg', 'test/a/02.jpg', 'test/b/02.jpg'])
    for count in (1, 7, 29, 30):
        chosen = unpacker().choose_subset(list(FILES), count)
        assert len(set(chosen)) == count and set(chosen) <= set(FILES)


def test_unpack_leaves_no_half_result(tmp_path, monkeypatch):
    tool = unpacker()
    archive = make_archive(tmp_path / 'x.tar.xz', FILES)
    copied = []

    def failing(source, file):
        copied.append(file.name)
        if len(copied) == 5:
            raise OSError('disk full')
        file.write(source.read())

    monkeypatch.setattr(tool.shutil, 'copyfileobj', failing)
    assert tool.main([str(archive), '--out', str(tmp_path / 'out' / 'x')]) == 1
    assert list((tmp_path / 'out').iterdir()) == [] and len(copied) == 5
    archive.write_bytes(archive.read_bytes()[:100])
    assert tool.main([str(archive), '--out', str(tmp_path / 'out' / 'x')]) == 1
    evil = make_archive(tmp_path / 'e.tar.xz', {'../evil.jpg': b'x'})
    assert tool.main([str(evil), '--out', str(tmp_path / 'out' / 'x')]) == 1
    assert list((tmp_path / 'out').iterdir()) == [] and not (tmp_path / 'evil.jpg').exists()


def test_a_source_without_fingerprint_is_refused():
    class Split(ImageSource):
        def __init__(self, count, **said):
            self.array = np.zeros((count, 4, 4, 1), np.uint8)
            self.mode = 'L'
            vars(self).update(said)

    with pytest.raises(ValueError, match='Split has no fingerprint.*set self.fingerprint'):
        IndexedDataset(Split(3))
    assert len(IndexedDataset(Split(3, fingerprint=7))) == 3
