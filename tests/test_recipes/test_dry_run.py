"""What a run refuses before its first iteration is refused of every stage before the first one trains."""
import os

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import EpochBasedTrainLoop
from torch import nn

from mmcluster.engine.hooks import KMeansHook
from mmcluster.evaluation.clustering import ClusteringMetric
from mmcluster.models.clusterers import SimCLR
from mmcluster.recipes import recipe
from mmcluster.recipes.records import STARTED
from mmcluster.recipes.rehearsal import rehearse
from mmcluster.recipes.stages import check_stages
from mmcluster.registry import HOOKS, LOOPS, METRICS, MODELS

pytestmark = pytest.mark.usefixtures('engine')
BOOST = ['boosters/clusmatch', 'boosters/digits']
BARE = ['boosters/boost', 'boosters/digits']
HEAD = dict(type='ClusteringMetric', source='head')


def recipe_of(tmp_path, parts, options, **first):
    """A recipe of two stages, the first of which a part of RUC calls simclr."""
    base = dict(parts=['propos/cnn_digits'], **first)
    stages = dict(simclr=base, second=dict(on='simclr', parts=parts, options=options))
    return Config(dict(data='data/digits', work_dir=str(tmp_path), stages=stages))


def rehearsed(tmp_path, parts, options):
    """Rehearse the second stage."""
    cfg = recipe_of(tmp_path, parts, options)
    rehearse(cfg, 'second', check_stages(cfg))


def hook(kind, **options):
    """Options of a stage with a further hook."""
    return dict(hooks=dict(further=dict(type=kind, **options)))


@MODELS.register_module()
class Tokens(nn.Module):
    """Returns its tokens, as a transformer may."""
    out_channels = 8

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 8)

    def forward(self, x):
        return self.layer(x.mean(1))


@pytest.mark.parametrize('parts, options, message', [
    (BOOST, hook('GroundTruthHook', per_class=1000), '1000 rows of every class are wanted'),
    (['propos/cnn_digits'], dict(metrics=dict(head=HEAD)), "needs a model with a head, and ProPos has none"),
    (['ruc/digits'], {}, "ProPos has no head, so there is no output 'head_probs'"),
    ([*BARE, 'losses/clusmatch'], {}, 'the KMeansHook that writes bank.label is missing'),
    (BOOST, dict(train_cfg=dict(val_interval=0)), 'val_interval must be at least 1, got 0'),
    (BOOST, dict(train_cfg=dict(max_epochs=0)), 'max_epochs must be at least 1, got 0'),
    (BOOST, hook('ScheduleHook', param='pseudo_label_loss.npl_wieght', steps=[(0, 1.)]),
     "no number 'pseudo_label_loss.npl_wieght' .did you mean 'pseudo_label_loss.npl_weight'"),
    (['scan/cluster_digits'], dict(model=dict(num_neighbors=1797)), 'need 1798 images, the data set has 1797'),
    ([*BARE, 'losses/fixmatch'], hook('ThresholdHook'), 'ThresholdHook: the model has no pseudo-label loss'),
    ([*BARE, 'losses/fixmatch'], dict(model=dict(teacher=None)), 'TeacherHook: Boost has no teacher'),
    (BOOST, dict(default_hooks=dict(checkpoint=dict(save_best='heads/nmi'))), "no 'heads/nmi' .did you mean 'head/nmi'"),
    (['propos/cnn_digits'], dict(model=dict(backbone=dict(_delete_=True, type='Tokens'))), r'Tokens must return .*8, 8')])
def test_wrong_values_of_a_later_stage(tmp_path, parts, options, message):
    with pytest.raises(ValueError, match=f"stage 'second' could not start: .*(?:{message})"):
        rehearsed(tmp_path, parts, options)


def test_labels_that_are_not_there(tmp_path):
    """But those in the work dir may be written by then."""
    with pytest.raises(FileNotFoundError, match='nofile.csv does not exist'):
        rehearsed(tmp_path / 'work', BOOST, hook('GroundTruthHook', labels=str(tmp_path / 'nofile.csv')))
    rehearsed(tmp_path, BOOST, hook('GroundTruthHook', labels=str(tmp_path / 'simclr' / 'some.csv')))


# ---- what runs is not refused

@HOOKS.register_module()
class AddsItsField(KMeansHook):
    """Adds what it fills when the run begins."""

    def before_train(self, runner):
        runner.model.bank.add_field(self.field)
        super().before_train(runner)


@MODELS.register_module()
class LateFactor(SimCLR):
    """Has a number only once its weights are initialised."""

    def init_weights(self):
        super().init_weights()
        self.factor = 1.


@METRICS.register_module()
class MoreMetric(ClusteringMetric):
    """Reports more."""

    def compute_metrics(self, results):
        return dict(super().compute_metrics(results), more=1.)


@LOOPS.register_module()
class AskingLoop(EpochBasedTrainLoop):
    """Asks its Runner for more than a rehearsal has."""

    def __init__(self, runner, *args, **kwargs):
        super().__init__(runner, *args, **kwargs)
        self.folder = runner.work_dir


@pytest.mark.parametrize('parts, options', [
    (['simclr/cnn_digits'], hook('AddsItsField', field='mine', num_clusters=10)),
    (['simclr/cnn_digits'], dict(model=dict(type='LateFactor'), **hook('ScheduleHook', param='factor', steps=[(0, 1.)]))),
    (BOOST, dict(metrics=dict(head=dict(type='MoreMetric')), default_hooks=dict(checkpoint=dict(save_best='head/more', rule='greater')))),
    (BOOST, dict(default_hooks=dict(checkpoint=dict(save_best='auto')))),
    (BOOST, dict(train_cfg=dict(type='AskingLoop')))])
def test_parts_of_ones_own(tmp_path, parts, options):
    rehearsed(tmp_path, parts, options)


def test_a_file_of_neighbours_needs_no_network(tmp_path):
    options = dict(hooks=dict(neighbors=dict(file=str(tmp_path / 'found.npz'), output='logits')))
    with pytest.raises(ValueError, match="ProPos has no head, so there is no output 'logits'"):
        rehearsed(tmp_path, ['scan/cluster_digits'], options)
    np.savez(tmp_path / 'found.npz')
    rehearsed(tmp_path, ['scan/cluster_digits'], options)


def test_a_stage_that_has_begun_goes_on_without_what_it_needed_at_its_start(tmp_path, monkeypatch):
    """Its labels are in the checkpoint."""
    asked = []
    monkeypatch.setattr(recipe, 'rehearse', lambda cfg, name, *args: asked.append(name))
    cfg = recipe_of(tmp_path, BOOST, hook('GroundTruthHook', labels='gone.csv'))
    os.makedirs(tmp_path / 'second')
    (tmp_path / 'second' / STARTED).write_text('{}')
    names = check_stages(cfg)
    recipe._rehearse(cfg, names, names, str(tmp_path), False, None)
    assert asked == ['simclr']
    recipe._rehearse(cfg, names, names, str(tmp_path), True, None)
    assert asked == ['simclr', *names]
