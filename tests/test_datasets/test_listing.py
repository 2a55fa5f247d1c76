"""What counts as an image, what is passed over and said, and which folders are taken for classes."""
import os
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmcluster.datasets import ClassFolderSource, FolderSource, IndexedDataset, UnreadableImageError, decode_image
from mmcluster.datasets.listing import scan_images
from mmcluster.image_files import image_suffixes, passed_over, suffix_of


def save(path, value=9, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', (8, 6), (value,) * 3).save(path, **options)
    return path


def fill(folder, *places, count=2):
    for place in places:
        for i in range(count):
            save(folder / place / f'{i}.png')
    return folder


@pytest.fixture(autouse=True)
def strict():
    """Any warning that a test does not expect is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        yield


# ---- suffixes

def test_what_pillow_reads_is_read(tmp_path):
    wanted = dict(jfif='JPEG', jpe='JPEG', jp2='JPEG2000', tga='TGA', apng='PNG', qoi='QOI', PPM='PPM', Webp='WEBP')
    for suffix, kind in wanted.items():
        save(tmp_path / f'a.{suffix}', format=kind)
    source = FolderSource(tmp_path)
    assert len(source) == len(wanted) and source.summary().left_out == {}
    assert all(abs(source.load(i).getpixel((3, 3))[0] - 9) < 2 for i in range(len(source)))
    assert {'.jpg', '.png', '.tif'} < set(image_suffixes()) and not {'.mpg', '.h5', '.eps'} & set(image_suffixes())


def test_what_is_passed_over_is_counted(tmp_path):
    fill(tmp_path, '.', count=3)
    for name in ('a.heic', 'b.HEIC', 'c.cr2', 'holiday', 'notes.txt', 'labels.csv', '.hidden.heic', '.x.png'):
        (tmp_path / name).write_bytes(b'x')
    expected = 'passed over 2 .heic, 1 .cr2, 1 without a suffix: install pillow-heif to read .heic; convert'
    if '.heic' in image_suffixes():
        pytest.skip('pillow-heif is installed')
    with pytest.warns(UserWarning, match=expected):
        source = FolderSource(tmp_path)
    assert source.summary().left_out == {'.heic': 2, '.cr2': 1, 'without a suffix': 1, '.txt': 1, '.csv': 1}
    assert str(source.summary()).startswith(f'{tmp_path.name}: 3 images; left out 2 .heic, 1 .cr2')
    for path in tmp_path.glob('*.png'):
        path.unlink()
    with pytest.raises(FileNotFoundError, match='holds no image .*passed over 2 .heic.*install pillow-heif'):
        FolderSource(tmp_path)
    with pytest.raises(UnreadableImageError, match='a.heic: Pillow reads such files with the package pillow-heif'):
        decode_image(tmp_path / 'a.heic')


def test_tables_and_texts_need_no_word(tmp_path):
    for name in ('notes.txt', 'labels.csv', 'Thumbs.db', 'a.xml'):
        (tmp_path / name).write_bytes(b'x')
    assert len(FolderSource(fill(tmp_path, '.'))) == 2
    assert passed_over({'.txt': 3}) == '' and suffix_of('.png') == suffix_of('a') == 'without a suffix'


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no pipes here')
@pytest.mark.parametrize('name', ['pipe.png', 'pipe.tif'])
def test_a_pipe_does_not_hang(tmp_path, name):
    fill(tmp_path, '.')
    os.mkfifo(tmp_path / name)
    os.symlink('/dev/zero', tmp_path / 'device.png')
    with pytest.warns(UserWarning, match='passed over 2 pipes or devices$'):
        source = FolderSource(tmp_path)
    assert len(source) == 2 and len(IndexedDataset(source)) == 2
    for path in (tmp_path / name, tmp_path / 'device.png'):
        with pytest.raises(UnreadableImageError, match='not a regular file'):
            decode_image(path)
    (tmp_path / 'gone.png').symlink_to(tmp_path / 'nowhere')
    with pytest.warns(UserWarning):
        source = FolderSource(tmp_path)
    with pytest.raises(UnreadableImageError, match='gone.png: the file does not exist'):
        IndexedDataset(source)


@pytest.mark.skipif(os.name == 'nt', reason='names are Unicode there')
def test_a_name_that_is_not_utf_8(tmp_path):
    fill(tmp_path, '.')
    try:
        save(tmp_path / os.fsdecode(b'caf\xe9.png'), 77)
    except OSError:
        pytest.skip('this file system takes UTF-8 only')
    (tmp_path / os.fsdecode(b'bad\xff.png')).write_bytes(b'')
    source = FolderSource(tmp_path)
    with pytest.raises(UnreadableImageError, match=r'  bad\\xff.png: the file is empty') as error:
        IndexedDataset(source)
    str(error.value).encode()
    with pytest.warns(UserWarning, match=r'left out 1 of 4 .*bad\\xff.png'):
        source = FolderSource(tmp_path, skip_unreadable=True)
    dataset = IndexedDataset(source)
    assert dataset[2]['batch'].images[0].unique().tolist() == [77] and dataset.fingerprint > 0


# ---- good photographs with something odd

def exif_with(*entries):
    """EXIF of raw directory entries (tag, kind, count, four bytes)."""
    body = b''.join(tag.to_bytes(2, 'little') + kind.to_bytes(2, 'little') + count.to_bytes(4, 'little') + value
                    for tag, kind, count, value in entries)
    return b'Exif\0\0II*\0\x08\0\0\0' + len(entries).to_bytes(2, 'little') + body + bytes(4)


TURNED = (0x0112, 3, 1, b'\6\0\0\0')


@pytest.mark.parametrize('odd', [
    (0x010F, 3, 1, b'\1\0\0\0'), (0x011A, 2, 4, b'abc\0'), (0x9000, 4, 1, b'\1\0\0\0'), (0x0131, 5, 1, b'\xff\xff\0\0'),
    (0x0100, 2, 4, b'abc\0'), (0x8769, 2, 4, b'abc\0'), (0x8825, 4, 1, b'\xff\xff\xff\x7f'), (0x0213, 2, 2, b'x\0\0\0'),
    (0xC4A5, 99, 1, bytes(4))])
def test_orientation_beside_an_odd_tag(tmp_path, odd):
    path = tmp_path / 'a.jpg'
    Image.new('RGB', (8, 6)).save(path, exif=exif_with(TURNED, odd))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')     # Pillow's, of the tag
        assert decode_image(path).size == (6, 8)


def test_exif_that_is_no_exif(tmp_path):
    path = tmp_path / 'a.jpg'
    Image.new('RGB', (8, 6)).save(path, exif=b'Exif\0\0nothing of the kind')
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        assert decode_image(path).size == (8, 6)


def test_the_limit_of_pixels_can_be_raised(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 20)
    path = save(tmp_path / 'a.png')
    with pytest.raises(UnreadableImageError, match='more pixels than Pillow decodes.*48 pixels.*MMCLUSTER_MAX_PIXELS'):
        decode_image(path)
    monkeypatch.setenv('MMCLUSTER_MAX_PIXELS', '48')
    assert np.asarray(decode_image(path)).shape == (6, 8, 3)
    monkeypatch.setenv('MMCLUSTER_MAX_PIXELS', 'many')
    with pytest.raises(ValueError, match="MMCLUSTER_MAX_PIXELS must be a whole number from 1, got 'many'"):
        decode_image(path)


# ---- class folders

def read(folder, **options):
    return ClassFolderSource(folder, **{**dict(splits=None), **options})


def test_classes_one_level_further_down(tmp_path):
    fill(tmp_path, 'data/cat', 'data/dog')
    message = re.escape(f"one class folder, 'data', with the folders cat, dog in it. If these are the classes, give "
                        f"root='{tmp_path / 'data'}'")
    with pytest.raises(ValueError, match=message):
        read(tmp_path)
    assert read(tmp_path / 'data').classes == ('cat', 'dog')
    assert read(tmp_path, classes=['data']).classes == ('data',), 'said in so many words'


def test_parts_that_hold_the_classes(tmp_path):
    fill(tmp_path, *(f'{part}/{kind}' for part in ('disk1', 'disk2') for kind in ('cat', 'dog')))
    with pytest.raises(ValueError, match=r"each of the class folders disk1, disk2 .* the same folders cat, dog in it.*"
                                         r"splits=\('disk1', 'disk2'\)"):
        read(tmp_path)
    assert read(tmp_path, splits=('disk1', 'disk2')).classes == ('cat', 'dog')


def test_folders_inside_of_classes(tmp_path):
    fill(tmp_path / 'a', 'animals/cat', 'animals/dog', 'things/car')
    with pytest.warns(UserWarning, match=r'further down: animals \(cat, dog\). Each class folder counts as one'):
        assert read(tmp_path / 'a').classes == ('animals', 'things')
    fill(tmp_path / 'b', 'cat/JPEGImages', 'dog/JPEGImages')
    assert read(tmp_path / 'b').classes == ('cat', 'dog')
    with pytest.warns(UserWarning, match='further down'):
        read(fill(tmp_path / 'c', 'cat/train', 'cat/test', 'dog/train', 'dog/test'))
    assert len(read(fill(tmp_path / 'd', 'cat', 'cat/more', 'cat/still', 'dog'))) == 8


@pytest.mark.parametrize('places', [
    ('cat', 'dog', 'train/cat', 'train/dog', 'test/cat', 'test/dog'), ('cat', 'train', 'test'), ('cat', 'Train/cat')])
def test_splits_beside_classes(tmp_path, places):
    fill(tmp_path, *places)
    with pytest.raises(ValueError, match='the folders .*[tT]rain of .* look like splits, beside cat.*`classes`'):
        read(tmp_path)
    assert read(tmp_path, classes=['cat']).classes == ('cat',)


def test_a_class_that_is_called_train(tmp_path):
    fill(tmp_path, 'car', 'train')
    with pytest.warns(UserWarning, match="the folder 'train' of .* is taken for a class like car"):
        assert read(tmp_path).classes == ('car', 'train')
    with pytest.raises(ValueError, match=r'look like splits, not classes; pass splits'):
        read(fill(tmp_path / 'x', 'train/a', 'test/a'))


def test_a_single_class_and_stray_images(tmp_path):
    with pytest.warns(UserWarning, match="one class folder, 'cat': with a single class every metric is perfect"):
        read(fill(tmp_path / 'a', 'cat'))
    with pytest.warns(UserWarning, match='passed over 2 images that lie beside the class folders'):
        source = read(fill(tmp_path / 'b', 'cat', 'dog', '.'))
    assert source.summary() == ('b', 4, {'outside the class folders': 2}, 4, dict(cat=2, dog=2))


def test_splits_that_a_plain_folder_reads_together(tmp_path):
    with pytest.warns(UserWarning, match='the images of the folders test, train are read together'):
        assert len(FolderSource(fill(tmp_path, 'train/a', 'test/a'))) == 4


def test_a_locked_folder_and_a_link_to_itself_do_not_end_the_listing(tmp_path, monkeypatch):
    fill(tmp_path, '.')
    (tmp_path / 'locked').mkdir()
    (tmp_path / 'loop').symlink_to(tmp_path / 'loop')
    (tmp_path / 'loop.png').symlink_to(tmp_path / 'loop.png')
    scandir = os.scandir

    def refusing(folder):
        if Path(folder).name == 'locked':
            raise PermissionError(13, 'Permission denied', str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, 'scandir', refusing)
    found = scan_images(tmp_path)
    assert len(found.paths) == 3 and 'loop.png' in found.paths, 'decoding names the link'
    said = passed_over(found.left_out)
    assert '1 folder that may not be read' in said and 'chmod' in said
    with pytest.raises(PermissionError):
        scan_images(tmp_path / 'locked')
