"""Every kind of image file becomes 8-bit pixels or an error that names the file, the reason and the remedy."""
import struct
import warnings

import numpy as np
import pytest
from PIL import Image

from mmcluster.datasets import ClassFolderSource, FolderSource, IndexedDataset, UnreadableImageError, decode_image
from mmcluster.datasets.decode import tiff_fault
from mmcluster.structures import Key

RED, BLUE = (200, 30, 20), (10, 40, 220)


def gradient(height=6, width=8):
    return (np.arange(height * width * 3).reshape(height, width, 3) * 5 % 256).astype(np.uint8)


def save(path, array_or_image, **options):
    image = array_or_image if isinstance(array_or_image, Image.Image) else Image.fromarray(array_or_image)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


def pixels(path, mode='RGB'):
    image = decode_image(path, mode)
    assert image.mode == mode
    return np.asarray(image)


def write_tiff(path, array, photometric=2, extra=0):
    """A plain little-endian TIFF of unsigned (H, W, C), also for more channels than PIL writes.

    ``extra`` says what the channels beyond the third are: 0 unknown, 2 transparency, None: the tag is left out.
    """
    height, width, channels = array.shape
    beyond = [] if channels <= 3 or extra is None else [(338, 3, [extra] * (channels - 3))]
    entries = [(256, 4, [width]), (257, 4, [height]), (258, 3, [8 * array.itemsize] * channels), (259, 3, [1]),
               (262, 3, [photometric]), (273, 4, [None]), (277, 3, [channels]), (278, 4, [height]),
               (279, 4, [array.nbytes]), (284, 3, [1]), *beyond]
    directory_end = 8 + 2 + 12 * len(entries) + 4
    outside, table = b'', b''
    lengths = [len(values) * (2 if kind == 3 else 4) for _, kind, values in entries]
    data_start = directory_end + sum(length for length in lengths if length > 4)
    for (tag, kind, values), length in zip(entries, lengths):
        packed = b''.join(struct.pack('<H' if kind == 3 else '<I', data_start if v is None else v) for v in values)
        if length > 4:
            table += struct.pack('<HHII', tag, kind, len(values), directory_end + len(outside))
            outside += packed
        else:
            table += struct.pack('<HHI', tag, kind, len(values)) + packed.ljust(4, b'\0')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b'II*\0' + struct.pack('<IH', 8, len(entries)) + table + bytes(4) + outside + array.tobytes())
    return path


@pytest.mark.parametrize('suffix', ['png', 'bmp', 'tif', 'ppm'])
def test_lossless_color(tmp_path, suffix):
    path = save(tmp_path / f'a.{suffix}', gradient())
    assert np.array_equal(pixels(path), gradient())
    assert np.array_equal(pixels(path, 'L'), np.asarray(Image.fromarray(gradient()).convert('L')))


@pytest.mark.parametrize('suffix, options, tolerance', [
    ('jpg', dict(quality=95), 12), ('webp', dict(lossless=True), 0), ('gif', {}, 0)])
def test_other_formats(tmp_path, suffix, options, tolerance):
    flat = np.zeros((8, 8, 3), np.uint8) + np.array(RED, np.uint8)
    got = pixels(save(tmp_path / f'a.{suffix}', flat, **options))
    assert np.abs(got.astype(int) - flat).max() <= tolerance


def test_gray_becomes_three_equal_channels(tmp_path):
    path = save(tmp_path / 'g.png', gradient()[..., 0])
    assert np.array_equal(pixels(path), np.repeat(gradient()[..., :1], 3, 2))
    assert np.array_equal(pixels(path, 'L'), gradient()[..., 0])


def test_one_bit(tmp_path):
    mask = gradient()[..., 0] > 100
    assert np.array_equal(pixels(save(tmp_path / 'm.png', Image.fromarray(mask)), 'L'), mask * 255)


@pytest.mark.parametrize('alpha', [0, 255, 51])
def test_alpha_is_composited_on_white(tmp_path, alpha):
    image = Image.new('RGBA', (3, 2), (*RED, alpha))
    expected = np.round(np.array(RED) * alpha / 255 + 255 * (1 - alpha / 255))
    assert np.abs(pixels(save(tmp_path / 'a.png', image))[0, 0] - expected).max() <= 1
    gray = save(tmp_path / 'la.png', Image.new('LA', (3, 2), (100, alpha)))
    assert abs(int(pixels(gray, 'L')[0, 0]) - (100 * alpha / 255 + 255 - alpha)) <= 1


def test_transparent_color_of_an_opaque_mode_becomes_white(tmp_path):
    array = np.zeros((2, 2, 3), np.uint8) + np.array(RED, np.uint8)
    array[0, 0] = BLUE
    got = pixels(save(tmp_path / 't.png', array, transparency=BLUE))
    assert got[0, 0].tolist() == [255] * 3 and got[1, 1].tolist() == list(RED)


@pytest.mark.parametrize('transparency', [None, 1])
def test_palette(tmp_path, transparency):
    image = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8))
    image.putpalette([*RED, *BLUE])
    got = pixels(save(tmp_path / 'p.png', image, **({} if transparency is None else dict(transparency=1))))
    assert got[0, 0].tolist() == list(RED)
    assert got[0, 1].tolist() == (list(BLUE) if transparency is None else [255] * 3)


@pytest.mark.parametrize('suffix', ['png', 'tif'])
def test_16_bit_is_scaled(tmp_path, suffix):
    values = np.array([[0, 257, 65535], [256, 32896, 128]], np.uint16)
    got = pixels(save(tmp_path / f'x.{suffix}', values), 'L')
    assert np.array_equal(got, np.floor(values / 257 + 0.5).astype(np.uint8))


def test_32_bit_and_float_are_refused(tmp_path):
    wide = np.array([[0, 70000]], np.int32)
    with pytest.raises(UnreadableImageError, match='32-bit pixels; save'):
        decode_image(save(tmp_path / 'i.tif', wide))
    with pytest.raises(UnreadableImageError, match='float pixels'):
        decode_image(save(tmp_path / 'f.tif', np.array([[0.5, 1]], np.float32)))


def test_cmyk(tmp_path):
    image = Image.new('CMYK', (4, 4), (0, 255, 255, 0))
    got = pixels(save(tmp_path / 'c.tif', image))
    assert got[0, 0].tolist() == list(image.convert('RGB').getpixel((0, 0))) and got[0, 0, 0] > 200 > 60 > got[0, 0, 1]


@pytest.mark.parametrize('orientation, turn', [(1, lambda a: a), (2, np.fliplr), (3, lambda a: np.rot90(a, 2)),
                                               (6, lambda a: np.rot90(a, -1)), (8, np.rot90)])
def test_exif_orientation_is_applied(tmp_path, orientation, turn):
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(pixels(save(tmp_path / 'e.png', gradient(), exif=exif)), turn(gradient()))


def test_tiff_bands(tmp_path):
    assert np.array_equal(pixels(write_tiff(tmp_path / '3.tif', gradient())), gradient())
    for bands in (5, 6, 8):
        array = np.zeros((4, 4, bands), np.uint8)
        with pytest.raises(UnreadableImageError, match=f'{bands}.tif: the TIFF has {bands} channels.*export three'):
            decode_image(write_tiff(tmp_path / f'{bands}.tif', array))


def test_a_fourth_band_must_be_transparency_or_the_black_of_cmyk(tmp_path):
    array = np.concatenate([gradient(), np.full((6, 8, 1), 255, np.uint8)], 2)
    assert np.array_equal(pixels(write_tiff(tmp_path / 'alpha.tif', array, extra=2)), gradient())
    assert pixels(write_tiff(tmp_path / 'cmyk.tif', array, photometric=5, extra=None)).max() == 0, 'all black'
    for name, extra in (('infrared', 0), ('silent', None)):
        with pytest.raises(UnreadableImageError, match=f'{name}.tif: the TIFF has 4 channels and none is marked .*RGB'):
            decode_image(write_tiff(tmp_path / f'{name}.tif', array, extra=extra))


@pytest.mark.parametrize('channels, extra', [(3, None), (4, 2)])
def test_color_tiffs_of_16_bits_are_refused(tmp_path, channels, extra):
    array = np.zeros((4, 5, channels), np.uint16)
    with pytest.raises(UnreadableImageError, match=f'x.tif: the TIFF has {channels} channels of 16 bits.*convert it'):
        decode_image(write_tiff(tmp_path / 'x.tif', array, extra=extra))


def test_other_kinds_of_tiff(tmp_path):
    gray = gradient()[..., :1]
    assert np.array_equal(pixels(write_tiff(tmp_path / 'g.TIFF', gray, photometric=1), 'L'), gray[..., 0])
    palette = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8))
    palette.putpalette([*RED, *BLUE])
    assert pixels(save(tmp_path / 'p.TIF', palette))[0, 1].tolist() == list(BLUE)
    assert np.array_equal(pixels(save(tmp_path / 'big.tif', gradient(), big_tiff=True)), gradient())
    assert np.array_equal(pixels(save(tmp_path / 'lzw.tif', gradient(), compression='tiff_lzw')), gradient())
    with pytest.raises(UnreadableImageError, match='unknown kind .3 channels.; convert'):
        decode_image(write_tiff(tmp_path / 'x.tif', gradient(), photometric=1))


@pytest.mark.parametrize('entry, kind', [(2, 2), (6, 5)], ids=['bits as text', 'a share of channels'])
def test_headers_without_numbers(tmp_path, entry, kind):
    path = write_tiff(tmp_path / 'x.tif', gradient())
    raw = bytearray(path.read_bytes())
    struct.pack_into('<H', raw, 10 + 12 * entry + 2, kind)
    if kind == 5:                                   # 0 / 0, at the end of the file
        struct.pack_into('<I', raw, 10 + 12 * entry + 8, len(raw))
        raw += bytes(8)
    path.write_bytes(raw)
    assert tiff_fault(path) == 'the header of the TIFF is damaged'
    with pytest.raises(UnreadableImageError, match='x.tif: the header of the TIFF is damaged'):
        decode_image(path)


@pytest.mark.parametrize('door', ['memory', 'worker'])
def test_odd_tiffs_are_named_before_training(tmp_path, door):
    for i in range(30):
        save(tmp_path / 'a' / f'{i:02}.tif', gradient())
    write_tiff(tmp_path / 'a' / '17.TIF', np.zeros((4, 4, 8), np.uint8))
    write_tiff(tmp_path / 'b' / 'x.tiff', np.zeros((4, 4, 3), np.uint16))
    save(tmp_path / 'b' / 'y.tif', gradient())
    (tmp_path / 'b' / 'z.tif').write_bytes(b'II*\0 nothing else')
    pipelines = None if door == 'memory' else dict(batch=[[dict(type='torchvision/Resize', size=(4, 4))]])
    with pytest.raises(UnreadableImageError) as error:
        IndexedDataset(ClassFolderSource(tmp_path, splits=None), pipelines=pipelines)
    lines = str(error.value).splitlines()
    assert any(line.startswith('  a/17.TIF: the TIFF has 8 channels') for line in lines)
    assert any(line.startswith('  b/x.tiff: the TIFF has 3 channels of 16 bits') for line in lines)
    assert ('b/z.tif' in str(error.value)) is (door == 'memory'), 'damage shows when a file is decoded'
    if door == 'worker':
        assert len(IndexedDataset(ClassFolderSource(tmp_path, splits=None), pipelines=pipelines, indices=[0, 5])) == 2
    with pytest.warns(UserWarning, match='left out 3 of 34'):
        source = ClassFolderSource(tmp_path, splits=None, skip_unreadable=True)
    dataset = IndexedDataset(source, pipelines=pipelines)
    assert len(dataset) == 31 and dataset[[0, 30]]['batch'].images[0].shape[0] == 2


def make_bad(folder):
    """Put four unreadable files into a folder; returns name -> a word of the expected reason."""
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    for name in ('cut.jpg', 'cut.png'):
        path = save(folder / name, noise)
        path.write_bytes(path.read_bytes()[:800])
    (folder / 'empty.png').write_bytes(b'')
    (folder / 'text.jpg').write_text('no image at all')
    return {'cut.jpg': 'truncated', 'cut.png': 'truncated', 'empty.png': 'empty', 'text.jpg': 'not an image'}


def test_each_kind_of_damage_has_its_reason(tmp_path):
    for name, reason in make_bad(tmp_path).items():
        with pytest.raises(UnreadableImageError, match=f'{name}: .*{reason}'):
            decode_image(tmp_path / name)
    with pytest.raises(UnreadableImageError, match='does not exist'):
        decode_image(tmp_path / 'none.png')
    with pytest.raises(ValueError, match='mode must be'):
        decode_image(tmp_path / 'none.png', 'HSV')


def test_damage_is_reported_together(tmp_path):
    save(tmp_path / 'a.png', gradient(40, 40))
    reasons = make_bad(tmp_path)
    with pytest.raises(UnreadableImageError, match='4 of 5 images cannot be read') as error:
        IndexedDataset(FolderSource(tmp_path))
    for name, reason in reasons.items():
        assert any(line.startswith(f'  {name}: ') and reason in line for line in str(error.value).splitlines())
    assert 'skip_unreadable=True' in str(error.value)
    assert not list(tmp_path.rglob('*.npy'))


def test_the_list_stops_at_twenty(tmp_path):
    for i in range(30):
        (tmp_path / f'{i:02}.png').write_bytes(b'')
    save(tmp_path / 'good.png', gradient())
    with pytest.raises(UnreadableImageError, match='30 of 31') as error:
        IndexedDataset(FolderSource(tmp_path))
    assert str(error.value).count('the file is empty') == 20 and '... and 10 more' in str(error.value)


def test_worker_door_names_the_files_of_a_batch(tmp_path):
    save(tmp_path / 'a.png', gradient(40, 40))
    make_bad(tmp_path)
    dataset = IndexedDataset(FolderSource(tmp_path), pipelines=dict(batch=[[]]))
    assert dataset[0]['batch'].images[0].shape == (1, 3, 40, 40)
    with pytest.raises(UnreadableImageError, match='2 of 3 images cannot be read') as error:
        dataset[[0, Key(1), 3]]
    assert 'cut.jpg' in str(error.value) and 'empty.png' in str(error.value)


def test_skipped_before_numbering(tmp_path):
    for name in ('b', 'a'):
        save(tmp_path / name / 'z.png', gradient(40, 40))
        make_bad(tmp_path / name)
    with pytest.warns(UserWarning, match='left out 8 of 10'):
        source = ClassFolderSource(tmp_path, splits=None, skip_unreadable=True)
    assert source.paths == ['a/z.png', 'b/z.png'] and source.labels.tolist() == [0, 1] and len(source) == 2
    with pytest.warns(UserWarning, match='left out 8'):
        again = ClassFolderSource(tmp_path, splits=None, skip_unreadable=True)
    assert again.fingerprint == source.fingerprint != ClassFolderSource(tmp_path, splits=None).fingerprint
    assert IndexedDataset(source)[1]['batch'].images[0].shape == (1, 40, 40, 3)


def test_a_remembered_list_is_dropped_when_files_change(tmp_path, monkeypatch):
    monkeypatch.setenv('MMCLUSTER_CACHE', str(tmp_path / '.cache'))
    make_bad(tmp_path)
    good = save(tmp_path / 'a.png', gradient(40, 40))
    with pytest.warns(UserWarning, match='left out 4 of 5'):
        FolderSource(tmp_path, skip_unreadable=True)
    record = next(tmp_path.rglob('*_unreadable.json'))
    for content in ('damaged', '{}', '7'):
        record.write_text(content)
        with pytest.warns(UserWarning, match='left out 4 of 5'):
            assert FolderSource(tmp_path, skip_unreadable=True).paths == ['a.png']
    record.write_text('["a.png"]')      # of the files as they were; they change below
    for path in set(tmp_path.iterdir()) - {good, tmp_path / '.cache'}:
        path.unlink()
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert FolderSource(tmp_path, skip_unreadable=True).paths == ['a.png']


def test_nothing_readable(tmp_path):
    make_bad(tmp_path)
    with pytest.warns(UserWarning), pytest.raises(UnreadableImageError, match='none of the 4 images'):
        FolderSource(tmp_path, skip_unreadable=True)
    with pytest.raises(UnreadableImageError, match='4 of 4'):
        IndexedDataset(FolderSource(tmp_path))
