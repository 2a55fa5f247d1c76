"""Images in tar files: places, labels, errors."""
import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from mmcluster.datasets import IndexedDataset, TarSource, index_file, tar_files


def content(value, kind='png', size=(6, 4)):
    out = io.BytesIO()
    Image.new('RGB', size, (value,) * 3).save(out, kind)
    return out.getvalue()


def pack(file, members, **options):
    with tarfile.open(file, options.pop('mode', 'w'), **options) as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            if data is None:
                entry.type, entry.linkname = tarfile.SYMTYPE, 'x'
                archive.addfile(entry)
            else:
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv('MMCLUSTER_CACHE', str(tmp_path / 'store'))
    monkeypatch.setattr(index_file, '_SETTLED', -10 ** 15)
    (tmp_path / 'shards').mkdir()
    return tmp_path / 'shards'


def pixel(source, i):
    return source.load(i).getpixel((0, 0))[0]


@pytest.mark.parametrize('kind', [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_images_are_read_where_they_lie(root, kind, monkeypatch):
    long = 'x' * 200 + '.png' if kind != tarfile.USTAR_FORMAT else 'x' * 90 + '.png'
    pack(root / '1.tar', {'./b.png': content(3), 'b.cls': b'1\n', 'd/a.b.png': content(4), 'd/a.cls': b'0'}, format=kind)
    pack(root / '0.tar', {long: content(5), f'{long[:-4]}.cls': b'7', 'readme.txt': b'x', '._b.png': b'x'}, format=kind)
    source = TarSource(root, labels='cls')
    assert source.paths == [f'0.tar/{long}', '1.tar/b.png', '1.tar/d/a.b.png']
    assert [pixel(source, i) for i in range(3)] == [5, 3, 4] and source.labels.tolist() == [7, 1, 0]
    assert source.left_out == {'.txt': 1} and TarSource(root).labels is None
    monkeypatch.setattr(tar_files, '_scan', lambda *args: pytest.fail('it was read through again'))
    again = TarSource(root, labels='cls')
    assert again.paths == source.paths and again.fingerprint == source.fingerprint and pixel(again, 2) == 4
    dataset = IndexedDataset(again, pipelines=dict(batch=[[]]), indices=[2, 0])
    assert [int(view[0, 0, 0]) for view in dataset[[0, 1]]['batch'].images[0]] == [4, 5]
    assert IndexedDataset(again)[[1]]['batch'].images[0][0, 0, 0, 0] == 3


def test_classes_by_folders_and_by_archives(root):
    pack(root / 'n2.tar', {'cat/1.png': content(1), 'ant/1.png': content(2)})
    pack(root / 'n1.tar', {'cat/0.png': content(3)})
    inside, archives = TarSource(root, labels='folders'), TarSource(root, labels='shards')
    assert inside.labels.tolist() == [1, 1, 0] and inside.classes == ('ant', 'cat')
    assert archives.labels.tolist() == [0, 1, 1] and archives.classes == ('n1', 'n2')


def test_what_changes_is_another_data_set(root):
    pack(root / '0.tar', {'a.png': content(1), 'b.png': content(2)})
    first = TarSource(root)
    known = first.fingerprint, first.cache_name
    pack(root / '0.tar', {'a.png': content(1), 'b.png': content(9)})
    second = TarSource(root)
    assert second.fingerprint != known[0] and second.cache_name != known[1] and pixel(second, 1) == 9
    assert TarSource(root, draft=8).cache_name != second.cache_name


def test_large_jpegs_are_decoded_at_a_part_of_their_size(root):
    pack(root / '0.tar', {'a.jpg': content(1, 'jpeg', (64, 48))})
    assert TarSource(root, draft=20).load(0).size == (32, 24) and TarSource(root).load(0).size == (64, 48)
    with pytest.raises(ValueError, match='draft'):
        TarSource(root, draft=0)


@pytest.mark.parametrize('members, labels, message', [
    ({'a.png': b'', 'l.png': None}, None, r'0.tar cannot be read as a plain tar file \(l.png is a link'),
    ({'a.txt': b''}, None, 'the archives in .* hold no image'),
    ({'a.png': b'', 'b.cls': b'0'}, 'cls', '1 of 1 images in .* have no file .cls .* beginning with 0.tar/a.png'),
    ({'a.png': b'', 'a.cls': b'-1'}, 'cls', '1 of 1 images in .* have no file .cls with the number'),
    ({'d/a.png': b'', 'a.png': b''}, 'folders', '1 of 2 images in .* have no folder in its archive'),
    ({'a.png': b''}, 'names', "labels must be one of .*'shards'.* or None, got 'names'")])
def test_errors(root, members, labels, message):
    pack(root / '0.tar', members)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        TarSource(root, labels=labels)


def test_damaged_archives_and_images(root):
    with pytest.raises(FileNotFoundError, match='holds no file \\*.tar'):
        TarSource(root)
    pack(root / '0.tar', {'a.png': content(1)}, mode='w:gz')
    with pytest.raises(ValueError, match='0.tar cannot be read as a plain tar file .* not compressed'):
        TarSource(root)
    pack(root / '0.tar', {'a.png': content(1), 'b.png': content(2)[:20], 'c.png': b''})
    dataset = IndexedDataset(TarSource(root), pipelines=dict(batch=[[]]))
    with pytest.raises(ValueError, match='2 of 3 images cannot be read:\n  0.tar/b.png: .*\n  0.tar/c.png: the file is empty'):
        dataset[np.arange(3).tolist()]


@pytest.mark.parametrize('harm', ['member', 'header', 'byte', 'twice'])
def test_an_archive_that_goes_on_or_stops_where_no_member_is_found(tmp_path, harm):
    """The reader takes all of these for the end and says nothing: half of the images would be missing."""
    file = tmp_path / '0.tar'
    pack(file, {f'{i}.png': content(i) for i in range(4)})
    assert len(TarSource(tmp_path).paths) == 4
    with tarfile.open(file) as archive:
        second = archive.getmembers()[2].offset
    whole = bytearray(file.read_bytes())
    whole[second + 150] ^= 0xFF
    original = file.read_bytes()
    file.write_bytes(dict(member=original[:second], header=original[:second + 300], byte=bytes(whole),
                          twice=original * 2)[harm])
    with pytest.raises(ValueError, match='0.tar cannot be read as a plain tar file .it is damaged or cut off after'):
        TarSource(tmp_path)
