"""Encoders that are trained on the images of the folder."""
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmcluster.apis.feature_model import FeatureModel
from mmcluster.apis.feature_reducer import FeatureReducer
from mmcluster.apis.result import read_result
from mmcluster.apis.training import OF_FAMILY, families, sure_rows
from mmcluster.cli import main
from mmcluster.encoders import Encoder
from mmcluster.encoders.drawn import DrawnViews
from mmcluster.recipes.stages import unfilled
from mmcluster.registry import LABEL_SELECTORS


def test_an_encoder_from_scratch_goes_with_the_result(photos, tmp_path, capfd):
    argv = ['cluster', str(photos), '--k', '3', '--train', '--epochs', '2', '--out', 'out', '--workers', '0', '--json']
    assert main(argv) == 0
    first = read_result('out')
    assert json.loads(capfd.readouterr().out)['encoder']['spec'] == 'training/scratch', 'the log is elsewhere'
    assert main(argv) == 0
    assert np.array_equal(read_result('out').embed, first.embed), 'a training that is done is not repeated'
    assert first.summary['training'] == ['training/scratch'] and 'id="training"' in Path('out/report.html').read_text()
    (tmp_path / 'out').rename(tmp_path / 'moved')
    capfd.readouterr()
    assert main(['assign', 'moved', str(photos / first.paths[0]), '--json', '--workers', '0']) == 0
    assert json.loads(capfd.readouterr().out)['images'][0]['second'] in (0, 1, 2)
    assert main(['report', 'moved', '--quiet']) == 0 and 'id="training"' in Path('moved/report.html').read_text()


def test_methods_train_by_name(photos, capfd):
    assert {'byol', 'cc', 'propos'} <= set(families())
    for family in families():
        stage = dict(parts=['folder/small', f'{family}/{OF_FAMILY}'],
                     facts=dict(root='photos', files='images.json', num_clusters=3, batch=24))
        model = unfilled(Config(dict(stages=dict(scratch=stage))), 'scratch').model
        assert model.backbone.type == 'SmallCNN' and model.data_preprocessor.views
    assert main(['cluster', str(photos), '--k', '3', '--train', 'prospo', '--quiet']) == 2
    assert 'of a method: byol, cc' in capfd.readouterr().err


def full(*args):
    raise OSError(28, 'No space left on device')


def test_a_booster_on_features_goes_on_from_the_clusters(photos, capfd, monkeypatch):
    argv = ['cluster', str(photos), '--k', '3', '--boost', 'clusmatch', '--epochs', '1', '--out', 'out', '--workers', '0',
            '--quiet']
    assert main([*argv[:4], *argv[8:], '--store', 'store']) == 0
    plain, page = read_result('out'), Path('out/report.html').read_text()
    assert main([*argv, '--store', 'store']) == 0
    boosted, model = read_result('out'), FeatureModel.load('out/model.npz')
    assert np.array_equal(boosted.embed, plain.embed) and not np.allclose(
        model.reducer.weight_, FeatureReducer().fit(plain.embed.astype(np.float32)).weight_, atol=1e-3)
    assert (model.describe(model.reduce(boosted.embed.astype(np.float32))).cluster == boosted.table['cluster']).mean() > 0.9, 'half precision'
    assert plain.summary['training'] == [] and 'id="training"' not in page
    work, = boosted.summary['training']
    assert Path(work).match('training/boost-*/boost') and 'id="training"' in Path('out/report.html').read_text()
    assert boosted.summary['boost'] == 'clusmatch' and len(list(Path('out/training').glob('boost-*'))) == 1
    with monkeypatch.context() as patch:
        patch.setattr('mmcluster.apis.folder.write_result', full)
        assert main([*argv, '--store', 'store', '--seed', '1']) == 3 and (Path('out') / work).is_dir()
    assert main([*argv, '--store', 'store', '--seed', '1']) == 0, 'another training in its place'
    assert len(list(Path('out/training').glob('boost-*'))) == 1
    assert main([*argv[:8], '--finetune', 'clusmatch', '--quiet']) == 2 and 'drop one' in capfd.readouterr().err


def test_drawn_views_depend_on_pixels_and_draw_alone():
    images = torch.randint(0, 256, (3, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))

    class Mean(Encoder):
        name = spec = description = digest = 'mean'
        dim, device, preprocess = 3, torch.device('cpu'), None

        def encode(self, images, dtype=torch.float32):
            return images.float().mean((2, 3))

        def to(self, device):
            return self

    views = DrawnViews(Mean(), 2)
    whole = views.encode(images)
    assert whole.shape == (3, 12) and torch.equal(views.encode(images[1:2])[0], whole[1])
    rows = whole.reshape(3, 4, 3)
    assert len({tuple(row.tolist()) for row in rows.flatten(0, 1)}) == 12, 'every view is another one'
    assert torch.equal(DrawnViews(Mean(), 1).encode(images)[:, :3], rows[:, 0]), 'draw k does not depend on how many'
    assert views.digest != DrawnViews(Mean(), 1).digest
    assert views.encode(images[:, :1]).shape == (3, 4), 'grey images, too'


def test_features_with_drawn_views(photos, tmp_path):
    out = tmp_path / 'x.npy'
    assert main(['features', str(photos), '--draws', '2', '--out', str(out), '--workers', '0', '--quiet']) == 0
    rows = np.load(out)
    assert rows.ndim == 3 and rows.shape[1] == 5 and rows.dtype == np.float16


def test_finetuning_is_of_the_default_encoder(photos, capfd):
    assert main(['cluster', str(photos), '--k', '3', '--finetune', 'clusmatch', '--train', '--epochs', '1',
                 '--quiet']) == 2
    assert 'drop --encoder and --train' in capfd.readouterr().err


def test_sure_rows_are_the_surest_of_every_cluster(tmp_path):
    cluster = np.array([0, 0, 0, 0, 0, 1, -1])
    target = sure_rows(cluster, np.array([.1, .9, .2, .8, .3, .1, .9]), 0.4)
    assert target.tolist() == [-1, 0, -1, 0, -1, 1, -1]
    np.save(tmp_path / 't.npy', target)
    given = LABEL_SELECTORS.build(dict(type='mmcluster.GivenLabels', file=str(tmp_path / 't.npy')))
    assert given(torch.zeros(7, 2)).tolist() == target.tolist()
    with pytest.raises(ValueError, match='7,'):
        given(torch.zeros(6, 2))
    np.save(tmp_path / 't.npy', np.array([0., np.nan, 1., -1., 2.7, 0., 0.]))
    with pytest.raises(ValueError, match=r't.npy are no labels, beginning with 2.7 \(row 4\)'):
        given(torch.zeros(7, 2))
    np.save(tmp_path / 't.npy', np.array([0., np.nan, 1., -1., 3., 0., 0.]))
    assert given(torch.zeros(7, 2)).tolist() == [0, -1, 1, -1, 3, 0, 0]


RECIPE = """
data = 'data/folder64'
facts = dict(size=32, batch=16, source=dict(skip_unreadable=True))
stages = dict(cc=dict(parts=['small_cc'], facts=dict(epochs=9)))
"""


def test_a_recipe_trains_with_all_it_says_and_parts_beside_it(photos, tmp_path, capfd):
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine' / 'small_cc.py').write_text("parts = ['cc/cnn_sign_digits']\n")
    (tmp_path / 'mine' / 'recipe.py').write_text(RECIPE)
    argv = ['cluster', str(photos), '--k', '3', '--train', 'mine/recipe.py', '--epochs', '1', '--out', 'out',
            '--workers', '0', '--quiet']
    assert main(argv) == 0, capfd.readouterr().err
    assert read_result('out').summary['training'] == ['training/cc']
    assert main([*argv[:3], '2', *argv[4:]]) == 2
    said = capfd.readouterr().err
    assert 'was trained on other images or with other settings' in said and 'remove ' in said and '--overwrite' not in said
