"""Every stage is built before the first one trains: what its parts refuse, and what does not fit its images."""
import logging

import pytest
import torch
from mmengine.config import Config

from mmcluster.datasets import DigitsSource, IndexedDataset
from mmcluster.models.clusterers import BaseClusterer
from mmcluster.recipes import recipe
from mmcluster.recipes.rehearsal import check_images

pytestmark = pytest.mark.usefixtures('engine')
STAGES = '''data = 'data/digits'
stages = dict(
    propos=dict(parts=['propos/cnn_digits']),
    boost=dict(on='propos', parts=['boosters/clusmatch', 'boosters/digits'{more}]))
'''


def train(tmp_path, more='', **options):
    """Train the recipe with options, as far as it comes."""
    (tmp_path / 'mine.py').write_text(STAGES.format(more=more))
    cfg = Config.fromfile(tmp_path / 'mine.py', lazy_import=False)
    cfg.merge_from_dict(options)
    cfg.work_dir = str(tmp_path / 'work')
    return recipe.run(cfg)


@pytest.mark.parametrize('options, message', [
    ({'stages.boost.facts.share': 1.5}, r"stage 'boost' could not start: sigma is the share .* got 1\.5"),
    ({'stages.boost.facts.lr': -1}, "stage 'boost' could not start: Invalid learning rate: -1"),
    ({'stages.boost.options.model.head.in_channels': 32},
     r"stage 'boost' could not start: Boost cannot take images of \(1, 8, 8\), .*64 and 32x10.* Compare in_channels"),
    ({'stages.propos.options.model.backbone.in_channels': 3},
     r"stage 'propos' could not start: ProPos cannot take images of \(1, 8, 8\)"),
    ({'stages.boost.options.metrics.kmeans.num_clusters': 1}, "stage 'boost' could not start: .*num_clusters")])
def test_a_wrong_value_of_any_stage_is_refused_before_the_first_one_trains(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        train(tmp_path, **options)
    assert not (tmp_path / 'work').exists()


def test_an_e_step_for_a_loss_that_does_not_read_it_is_refused(tmp_path):
    with pytest.raises(ValueError, match="stage 'boost' could not start: KMeansHook writes 'label' of every image, "
                                         r"which FlexMatchLoss does not read; what is read here: \['selected', 'target'\]"):
        train(tmp_path, ", 'losses/flexmatch'")
    assert not (tmp_path / 'work').exists()


def test_what_is_done_is_not_built_again(tmp_path, monkeypatch):
    """A finished stage costs nothing, whatever became of its settings' meaning since."""
    asked = []
    monkeypatch.setattr(recipe, 'rehearse', lambda cfg, name, names, edit: asked.append(name))
    monkeypatch.setattr(recipe, '_train', lambda *args, **options: 'final.pth')
    done = {str(tmp_path / 'work' / 'propos')}
    monkeypatch.setattr(recipe, 'read_record', lambda folder, kind: {} if folder in done else None)
    train(tmp_path)
    assert asked == ['boost']


def test_the_network_is_left_as_it_was():
    """Two rows in evaluation mode; a model in training stays in it, and nothing of the log is lost."""
    torch.manual_seed(0)
    model = BaseClusterer(dict(type='SmallCNN', widths=(4, 8)), data_preprocessor=dict(
        type='ViewPreprocessor', mean=[0.], std=[255.]))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    check_images(model, IndexedDataset(DigitsSource()))
    assert model.training and all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert logging.root.manager.disable == 0
