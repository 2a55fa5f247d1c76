"""A folder of images that nobody has labelled or tidied is clustered, and the result names its files."""
import csv
import json

import numpy as np
import pytest
from PIL import Image
from reduced import NARROW, K, read_stage, train

pytestmark = pytest.mark.usefixtures('engine')


def write_folder(folder):
    """PNGs of all modes and several sizes, without labels."""
    rng = np.random.default_rng(0)
    modes = dict(L=(), RGB=(3,), RGBA=(4,), LA=(2,))
    for i in range(24):
        mode = [*modes, 'P', '1', 'I;16'][i % 7]
        size = (20 + i, 50 - i)
        if mode == 'I;16':
            image = Image.fromarray(rng.integers(0, 2 ** 16, size, np.uint16))
        elif mode in modes:
            image = Image.fromarray(rng.integers(0, 256, (*size, *modes[mode]), np.uint8))
        else:
            image = Image.fromarray(rng.integers(0, 256, size, np.uint8)).convert(mode)
        assert image.mode == mode
        path = folder / ('sub folder' if i % 2 else '.') / f'bild {i:02d} ä.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)
    (folder / 'notes.txt').write_text('not an image')


def test_a_folder_without_labels(tmp_path, monkeypatch):
    images = tmp_path / 'it\'s "my" \\d {photos}'
    write_folder(images)
    monkeypatch.setenv('IMAGES', str(images))
    monkeypatch.setenv('CLUSTERS', str(K))
    cfg = read_stage('propos_clusmatch_r18stl_folder64/propos')
    cfg.model.backbone = dict(type='SmallCNN', in_channels=3)
    cfg.model.merge(NARROW)
    cfg.train_dataloader.sampler.streams.batch.size = 8
    cfg.merge_from_dict(dict(work_dir=str(tmp_path / 'work'), train_cfg=dict(max_epochs=1, val_interval=1),
                             log_level='ERROR'))
    train(cfg)
    summary = json.loads((tmp_path / 'work' / 'summary.json').read_text())
    assert set(summary['metrics']) == {'kmeans/cluster_min', 'kmeans/cluster_max'}
    assert summary['best_by_ground_truth'] == {} and summary['num_samples'] == 24
    with open(tmp_path / 'work' / 'assignments.csv', encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ['image', 'cluster', 'confidence', 'second']
    found = sorted(path.relative_to(images).as_posix() for path in images.rglob('*.png'))
    assert [row['image'] for row in rows] == found and 'sub folder/bild 01 ä.png' in found
    for row in rows:
        assert int(row['cluster']) != int(row['second']) and {int(row['cluster']), int(row['second'])} < set(range(K))
        assert -1 <= float(row['confidence']) <= 1 + 1e-6
    sizes = np.bincount([int(row['cluster']) for row in rows], minlength=K)
    assert (sizes.min(), sizes.max()) == tuple(summary['metrics'][f'kmeans/cluster_{end}'] for end in ('min', 'max'))
