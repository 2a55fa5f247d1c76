"""Encoders, what they see of images, and the embedding of files."""
import numpy as np
import pytest
import torch
from PIL import Image
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
