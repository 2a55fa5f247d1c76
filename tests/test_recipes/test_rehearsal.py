"""Every stage is built before the first one trains: what its parts refuse, and what does not fit its images."""
import logging

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook

from mmcluster.datasets import DigitsSource, IndexedDataset
from mmcluster.engine.hooks import EStepHook
from mmcluster.engine.launch import prepare
from mmcluster.models.clusterers import BaseClusterer, SimCLR
from mmcluster.recipes import recipe
from mmcluster.recipes.binding import bind_data
from mmcluster.recipes.recipe import build_runner
from mmcluster.recipes.rehearsal import check_images, rehearse
from mmcluster.recipes.stages import check_stages, stage_config
from mmcluster.registry import HOOKS, MODELS

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
    monkeypatch.setattr(recipe, 'rehearse', lambda cfg, name, names, edit, done: asked.append((name, done)))
    monkeypatch.setattr(recipe, '_train', lambda *args, **options: 'final.pth')
    done = {str(tmp_path / 'work' / 'propos')}
    monkeypatch.setattr(recipe, 'read_record', lambda folder, kind: dict(checkpoint='last.pth') if folder in done else None)
    train(tmp_path)
    assert asked == [('boost', dict(propos=str(tmp_path / 'work' / 'propos' / 'last.pth')))]


@pytest.mark.parametrize('options, message', [
    ({'stages.boost.options.val_dataloader.dataset.indices': [99999]}, 'indices must lie in 0..1796'),
    ({'stages.boost.options.train_dataloader.sampler.length': -3}, 'length must be at least 1'),
    ({'stages.boost.options.train_dataloader.sampler.streams.labelled.size': -3}, 'size must be a positive number'),
    ({'stages.boost.options.default_hooks.checkpoint.interval': 'x'}, 'CheckpointHook: interval must be'),
    ({'stages.boost.options.model.head.num_clusters': -3}, 'negative dimension')])
def test_loaders_and_usual_hooks_are_built_too(tmp_path, options, message):
    with pytest.raises(ValueError, match=f"stage 'boost' could not start: .*{message}"):
        train(tmp_path, **options)


@HOOKS.register_module()
class ReadsAFile(Hook):
    """Reads a checkpoint when it is built."""

    def __init__(self, file):
        self.state = torch.load(file, weights_only=True)


@HOOKS.register_module()
class AddsAField(EStepHook):
    """Adds what it fills when the run begins."""

    def before_train(self, runner):
        runner.model.bank.add_field(self.field)


@MODELS.register_module()
class LateSimCLR(SimCLR):
    """Has something only once its weights are initialised."""

    def init_weights(self):
        super().init_weights()
        self.factor = 1.

    def outputs(self, x):
        embed, logits = super().outputs(x)
        return embed * self.factor, logits


METRIC = dict(type='ClusteringMetric', source='kmeans', num_clusters=10)
RUNS = [
    dict(hooks=dict(mine=dict(type='DistSamplerSeedHook', priority='VERY_LOW'))),
    dict(metrics=dict(kmeans=None), val_evaluator=dict(type='Evaluator', metrics=[METRIC])),
    dict(metrics=dict(kmeans=None), val_evaluator=dict(metrics=METRIC)),
    dict(train_dataloader=dict(dataset=dict(pipelines=dict(batch=[[], []])))),
    dict(hooks=dict(mine=dict(type='AddsAField', field='mine'))),
    dict(model=dict(bank=dict(num_samples=None, fields=dict(mine=dict(dtype='float', shape=(2,)))))),
    dict(model=dict(type='LateSimCLR')),
    dict(val_dataloader=None, val_cfg=None, test_cfg=None, metrics=None)]


@pytest.mark.parametrize('options', RUNS)
def test_what_runs_is_not_refused(tmp_path, options):
    """Ways to write a config that a Runner takes."""
    cfg = Config(dict(data='data/digits', work_dir=str(tmp_path), stages=dict(
        simclr=dict(parts=['simclr/cnn_digits'], options=options))))
    names = check_stages(cfg)
    rehearse(cfg, 'simclr', names)
    single = stage_config(cfg, 'simclr', {})
    bind_data(single)
    build_runner(prepare(single))


def test_a_file_of_an_earlier_stage_is_read_if_it_is_there(tmp_path):
    cfg = Config(dict(data='data/digits', work_dir=str(tmp_path), stages=dict(
        simclr=dict(parts=['simclr/cnn_digits']),
        second=dict(parts=['simclr/cnn_digits'], options=dict(hooks=dict(mine=dict(type='ReadsAFile', file='{simclr}')))))))
    rehearse(cfg, 'second', check_stages(cfg))      # it may be there by then
    torch.save([], tmp_path / 'real.pth')
    rehearse(cfg, 'second', ['simclr', 'second'], done=dict(simclr=str(tmp_path / 'real.pth')))
    (tmp_path / 'real.pth').write_bytes(b'cut')
    with pytest.raises(ValueError, match="stage 'second' could not start"):
        rehearse(cfg, 'second', ['simclr', 'second'], done=dict(simclr=str(tmp_path / 'real.pth')))


def test_the_log_stays_quiet(tmp_path, caplog):
    """Frozen weights and groups of the optimiser are named when the stage trains."""
    cfg = Config(dict(work_dir=str(tmp_path), data='data/digits', stages=dict(
        temi=dict(parts=['temi/method', 'features/raw'], facts=dict(columns=64, heads=2)))))
    with caplog.at_level('INFO'):
        rehearse(cfg, 'temi', check_stages(cfg))
    assert not [line for line in caplog.messages if 'requires_grad' in line or 'group' in line]
    assert logging.root.manager.disable == 0


@pytest.mark.parametrize('error', [NotImplementedError('no kernel for the CPU'), RuntimeError('out of memory'),
                                   AttributeError('shape')])
def test_what_is_no_matter_of_the_images_is_left_to_the_run(error):
    model = digits_model()
    model.outputs = lambda x: (_ for _ in ()).throw(error)
    check_images(model, IndexedDataset(DigitsSource()))
    assert model.training


def digits_model():
    """A network for grey images."""
    return BaseClusterer(dict(type='SmallCNN', widths=(4, 8)), data_preprocessor=dict(
        type='ViewPreprocessor', mean=[0.], std=[255.]))


def test_the_network_is_left_as_it_was():
    torch.manual_seed(0)
    model = digits_model()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    check_images(model, IndexedDataset(DigitsSource()))
    assert model.training and all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
