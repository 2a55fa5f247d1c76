"""The digits config with 40 given labels, with each loss: whole steps that never wait, and a resumed run."""
import argparse
import importlib.util
from pathlib import Path

import pytest
from killed import Killed
from mmengine.config import Config, DictAction
from reduced import differences, load, read_stage, train, write_digits

from mmcluster.engine.hooks import GroundTruthHook, PoolHook
from mmcluster.recipes import recipe, stages
from mmcluster.recipes.option_names import check_names

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location('host_sync', ROOT / 'tools' / 'benchmarks' / 'host_sync.py')
host_sync = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(host_sync)

pytestmark = pytest.mark.usefixtures('engine')
CONFIG = ROOT / 'configs' / 'fixmatch_cnn_digits_40.py'
# The swap of the loss, as on the command line.
SWAPS = dict(FixMatchLoss={}, FlexMatchLoss={}, FreeMatchLoss={}, SoftMatchLoss={}, AdaMatchLoss={}, MixMatchLoss={},
             MutexMatchLoss={'model.pseudo_label_loss.in_channels': 128})


def options(name):
    return {'model.pseudo_label_loss.type': name, **SWAPS[name]}


@pytest.mark.parametrize('name', SWAPS)
def test_no_step_waits_for_the_device(name, tmp_path):
    runner = host_sync.short_runner(str(CONFIG), str(tmp_path), steps=4, options=options(name))
    off, on = host_sync.count_steps(runner)
    assert len(off) == 2 and sum(off, host_sync.Counter()) == {}
    assert (runner.model.bank.target >= 0).sum() == 40
    logged = runner.message_hub.log_scalars
    assert {'train/loss_sup', 'train/mix_share' if name == 'MixMatchLoss' else 'train/mask_share'} <= set(logged)


@pytest.mark.parametrize('name', ['FlexMatchLoss', 'MixMatchLoss'])
def test_a_resumed_run_equals_an_uninterrupted_one(name, tmp_path, monkeypatch):
    """Bank, thresholds and draws continue; the labels are not drawn again."""
    def cfg(folder):
        config = read_stage(CONFIG.stem)
        config.merge_from_dict({
            **options(name), 'work_dir': str(tmp_path / folder), 'train_cfg.max_epochs': 3, 'log_level': 'ERROR',
            'train_cfg.val_interval': 10, 'train_dataloader.sampler.length': 3, 'visualizer.vis_backends': [],
            'default_hooks.checkpoint.interval': 1, 'model.backbone.widths': (8, 128)})
        return config
    whole = load(train(cfg('whole'))['train'])['state_dict']
    publish, draw = PoolHook.before_train_epoch, GroundTruthHook._drawn

    def stop(self, runner):
        if runner.epoch == 2:
            raise Killed
        publish(self, runner)
    with monkeypatch.context() as patch:
        patch.setattr(PoolHook, 'before_train_epoch', stop)
        with pytest.raises(Killed):
            train(cfg('cut'))
    calls = []
    monkeypatch.setattr(GroundTruthHook, '_drawn', lambda self, *args: calls.append(1) or draw(self, *args))
    resumed = load(train(cfg('cut'), resume=True)['train'])['state_dict']
    assert differences(whole, resumed) == [] and not calls
    assert (whole['bank.target'] >= 0).sum() == 40


def test_a_file_on_the_command_line(tmp_path):
    """Labels of a user: what the documentation says."""
    (tmp_path / 'labels.csv').write_text('row,label\n0,0\n1,1\n2,2\n', encoding='utf-8')
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    given = parser.parse_args(['--cfg-options', 'facts.per_class=None',
                               f'hooks.given.labels={tmp_path / "labels.csv"}']).cfg_options
    check_names(Config.fromfile(CONFIG, lazy_import=False), given)
    stages.read_stage(CONFIG, options=given).dump(tmp_path / 'given.py')
    runner = host_sync.short_runner(str(tmp_path / 'given.py'), str(tmp_path), steps=2)
    runner.train()
    assert runner.model.bank.target[:4].tolist() == [0, 1, 2, -1]
    recipe.close(runner)


def test_the_truth_of_other_rows_does_not_reach_training(tmp_path):
    """With labels from a file, permuting the data set's own leaves weights and bank bit-identical."""
    (tmp_path / 'labels.csv').write_text(''.join(f'{row},{row % 4}\n' for row in range(12)), encoding='utf-8')
    trained, metrics = [], []
    for name, permute in (('original', None), ('permuted', 1)):
        source = dict(type='ArraySource', **write_digits(tmp_path / name, permute))
        config = read_stage(CONFIG.stem)
        for loader in (config.train_dataloader, config.val_dataloader, config.test_dataloader):
            loader.dataset.source = source
        config.val_evaluator = dict(type='ClusteringMetric', source='kmeans', num_clusters=4)
        config.merge_from_dict({
            **options('FlexMatchLoss'), 'work_dir': str(tmp_path / name / 'work'), 'log_level': 'ERROR',
            'custom_hooks.0.per_class': None, 'custom_hooks.0.labels': str(tmp_path / 'labels.csv'),
            'train_cfg.max_epochs': 2, 'train_cfg.val_interval': 2, 'train_dataloader.sampler.length': 3,
            'train_dataloader.sampler.streams.labelled.size': 12,
            'train_dataloader.sampler.streams.unlabelled.size': 24,
            'visualizer.vis_backends': [], 'model.backbone.widths': (8, 128)})
        trained.append(load(train(config)['train'])['state_dict'])
        metrics.append((tmp_path / name / 'work' / 'metrics.jsonl').read_text())
    assert (trained[0]['bank.target'] >= 0).sum() == 12
    assert differences(*trained) == [] and metrics[0] != metrics[1]
