"""Encoders, what they see of images, and the embedding of files."""
import os

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_images
from torch import nn

from mmcluster.datasets.decode import decode_image
from mmcluster.encoders import CentreView, NetworkEncoder, build_encoder, embed_files
from mmcluster.encoders.embedded import PACKAGE, weights_file

pytestmark = pytest.mark.usefixtures('engine')


@pytest.fixture(scope='module')
def embedded():
    pytest.importorskip(PACKAGE)
    return build_encoder('default', 'cpu')


def small_encoder(seed=0, size=16):
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU())
    return NetworkEncoder(network, CentreView(size, size), (127.,) * 3, (64.,) * 3, 'small', 'small', 'A test.')


def write_photos(folder, count=12, size=(40, 30), seed=0):
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for i in range(count):
        Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).save(folder / f'{i:03d}.png')
    return sorted(file.name for file in folder.iterdir())


def test_the_network_is_timms(embedded):
    timm = pytest.importorskip('timm')
    other = timm.create_model('tf_efficientnet_lite0').eval()
    state = torch.load(weights_file(), weights_only=True)
    other.load_state_dict(dict(zip(other.state_dict(), state.values(), strict=True)))
    for size in (160, 97):      # an odd side is padded on both sides, an even one on one
        images = torch.randint(0, 256, (2, 3, size, size), dtype=torch.uint8)
        with torch.no_grad():
            expected = other.forward_head(other.forward_features((images.float() - 127) / 128), pre_logits=True)
        torch.testing.assert_close(embedded.encode(images), expected, atol=1e-4, rtol=1e-4)
    assert embedded.dim == 1280 and len(embedded.digest) == 64


def test_a_view_is_the_centre_square():
    image = Image.fromarray(np.arange(30 * 50 * 3, dtype=np.uint8).reshape(30, 50, 3))
    view = CentreView(30, 30)(image)
    assert np.array_equal(view, np.asarray(image)[:, 10:40])
    assert CentreView(16, 20, 'bilinear')(image).shape == (16, 16, 3)


def test_a_jpeg_is_decoded_at_reduced_scale(tmp_path):
    y, x = np.mgrid[:480, :640]
    Image.fromarray(np.stack([x % 256, y % 256, (x + y) % 256], 2).astype(np.uint8) // 2).save(tmp_path / 'a.jpg')
    assert decode_image(tmp_path / 'a.jpg', draft=100).size == (160, 120)
    assert decode_image(tmp_path / 'a.jpg').size == (640, 480)


def test_files_are_embedded_once(tmp_path):
    files, encoder = write_photos(tmp_path / 'photos'), small_encoder()
    (tmp_path / 'photos' / 'bad.jpg').write_bytes(b'no image')
    given = [*files, 'bad.jpg', 'gone.jpg']
    calls = []
    first = embed_files(encoder, given, tmp_path / 'photos', tmp_path / 'store', 5, 0, dtype='float32',
                        progress=lambda done, total: calls.append((done, total)))
    assert (first.computed, first.cached) == (12, 0) and first.paths == files and first.embed.shape == (12, 8)
    assert [path for path, _ in first.unreadable] == ['bad.jpg', 'gone.jpg'] and calls[-1] == (14, 14)
    again = embed_files(encoder, given, tmp_path / 'photos', tmp_path / 'store', 5, 0, dtype='float32')
    assert (again.computed, again.cached) == (0, 12) and np.array_equal(again.embed, first.embed)
    direct = encoder.encode(torch.from_numpy(np.stack([
        encoder.preprocess(decode_image(tmp_path / 'photos' / path)) for path in files])).permute(0, 3, 1, 2))
    np.testing.assert_allclose(first.embed, direct.numpy(), atol=1e-5)


def test_what_cannot_be_read_is_left_out(tmp_path):
    photos = tmp_path / 'photos'
    good = write_photos(photos, 2, (64, 48))
    image = Image.open(photos / good[0])
    image.save(photos / 'whole.jpg')
    (photos / 'cut.jpg').write_bytes((photos / 'whole.jpg').read_bytes()[:900])
    (photos / 'empty.png').write_bytes(b'')
    (photos / 'photo.heic').write_bytes(b'\0\0\0\x18ftypheic' + bytes(100))
    (photos / 'notes.png').write_text('not an image')
    os.mkfifo(photos / 'pipe.png')
    image.convert('F').save(photos / 'float.tif')
    Image.new('1', (20000, 20000)).save(photos / 'huge.png')
    image.convert('CMYK').save(photos / 'cmyk.jpg')
    image.save(photos / 'film.gif', save_all=True, append_images=[image.rotate(90)])
    Image.fromarray(np.asarray(image.convert('L')).astype(np.uint16) * 257).save(photos / 'deep.png')
    exif = Image.Exif()
    exif[274] = 6
    image.rotate(90, expand=True).save(photos / 'turned.png', exif=exif)
    given = sorted(file.name for file in photos.iterdir())
    found = embed_files(small_encoder(), given, photos, tmp_path / 'store', 4, 1, dtype='float32')
    reasons = dict(found.unreadable)
    assert sorted(reasons) == ['cut.jpg', 'empty.png', 'float.tif', 'huge.png', 'notes.png', 'photo.heic', 'pipe.png']
    assert all(reasons.values()) and 'empty' in reasons['empty.png'] and 'regular' in reasons['pipe.png']
    rows = dict(zip(found.paths, found.embed))
    np.testing.assert_allclose(rows['turned.png'], rows[good[0]], atol=1e-6)
    assert sorted(rows) == sorted(set(given) - set(reasons))
    again = embed_files(small_encoder(), given, photos, tmp_path / 'store', 4, 1, dtype='float32')
    assert again.computed == 0 and dict(again.unreadable) == reasons


def test_reduced_scale_and_bfloat16_stay_near(tmp_path, embedded):
    tmp_path.joinpath('photos').mkdir()
    photos = [Image.fromarray(photo) for photo in load_sample_images().images]
    for i, photo in enumerate([*photos, *(photo.crop((0, 60, 300, 360)) for photo in photos)]):
        photo.resize((1280, 1280 * photo.height // photo.width)).save(tmp_path / 'photos' / f'{i}.jpg', quality=90)
    files = [f'{i}.jpg' for i in range(4)]
    fast = embed_files(embedded, files, tmp_path / 'photos', workers=0, dtype='bfloat16', keep=False).embed
    pixels = np.stack([embedded.preprocess(decode_image(tmp_path / 'photos' / path)) for path in files])
    plain = embedded.encode(torch.from_numpy(pixels).permute(0, 3, 1, 2)).numpy()
    cosine = (fast * plain).sum(1) / np.linalg.norm(fast, axis=1) / np.linalg.norm(plain, axis=1)
    assert cosine.mean() > .999
