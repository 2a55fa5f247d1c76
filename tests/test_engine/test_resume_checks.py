"""What a run that goes on takes from its checkpoint, and what its evaluations leave."""
import json
import math

import pytest
import torch
from killed import Killed
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from reduced import differences

from mmcluster.registry import HOOKS, METRICS

from .toy import ToyData, toy_runner

LOADER = dict(batch_size=4, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False))


@METRICS.register_module(force=True)
class Wave(BaseMetric):
    """A score that goes up and down with the weights, and the same score negated."""

    def process(self, data_batch, data_samples):
        self.results.append(float(sum(sample.double().abs().sum() for sample in data_samples)))

    def compute_metrics(self, results):
        score = math.sin(50 * sum(results))
        return dict(acc=score, nmi=-score)


@HOOKS.register_module(force=True)
class KillHook(Hook):
    """Ends the process in the evaluation after epoch ``at``: before it, after the best file or after the line."""

    at = None

    def __init__(self, when):
        self.when = when

    def _end(self, runner, when):
        if (self.when, runner.epoch) == (when, KillHook.at):
            raise Killed

    def before_val_epoch(self, runner):
        self._end(runner, 'before')

    def after_val_epoch(self, runner, metrics=None):
        self._end(runner, 'after')


def evaluated(work_dir, kill=('after', 'LOWEST'), save_best=('toy/acc', 'toy/nmi'), interval=1, **changes):
    runner = toy_runner(
        work_dir, train_cfg=dict(by_epoch=True, max_epochs=5, val_interval=1), val_cfg={},
        val_dataloader=dict(LOADER, dataset=ToyData()), val_evaluator=dict(type='Wave', prefix='toy'), **changes,
        custom_hooks=[dict(type='ResultHook'), dict(type='KillHook', when=kill[0], priority=kill[1])],
        default_hooks=dict(logger=dict(type='LoggerHook', interval=3), seed=dict(type='SeedHook'),
                           checkpoint=dict(type='CheckpointHook', interval=interval, max_keep_ckpts=1,
                                           save_best=list(save_best) or None)))
    runner.train()
    return runner


def left(work_dir):
    """Names and weights of all checkpoints, scores of the best ones, and the lines of the evaluations."""
    files = {path.name: torch.load(path, weights_only=True) for path in work_dir.glob('*.pth')}
    scores = {name: {key: value for key, value in file['message_hub']['runtime_info'].items() if 'score' in key}
              for name, file in files.items()}
    lines = [json.loads(line) for line in (work_dir / 'metrics.jsonl').read_text().splitlines()]
    return {name: file['state_dict'] for name, file in files.items()}, scores, lines


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """What an uninterrupted run leaves."""
    KillHook.at = None
    folder = tmp_path_factory.mktemp('whole')
    evaluated(folder)
    found = left(folder)
    assert len(found[2]) == 5 and len(found[0]) == 3
    return found


@pytest.mark.parametrize('interval', [1, 2])
@pytest.mark.parametrize('at', [2, 3, 5])
@pytest.mark.parametrize('when', [('before', 'NORMAL'), ('after', 95), ('after', 'LOWEST')])
def test_an_evaluation_that_was_cut_off_is_neither_lost_nor_doubled(tmp_path, whole, when, at, interval):
    KillHook.at = at
    with pytest.raises(Killed):
        evaluated(tmp_path, when, interval=interval)
    KillHook.at = None
    evaluated(tmp_path, when, interval=interval, resume=True)
    assert differences(whole, left(tmp_path)) == []


def test_without_a_best_file_only_a_missing_evaluation_is_repeated(tmp_path, whole, monkeypatch):
    seen, compute = [], Wave.compute_metrics
    monkeypatch.setattr(Wave, 'compute_metrics', lambda self, results: (seen.append(1), compute(self, results))[1])
    for when, number in (('before', 4), ('after', 3)):
        KillHook.at, folder = 2, tmp_path / when
        with pytest.raises(Killed):
            evaluated(folder, (when, 'LOWEST'), ())
        KillHook.at = None
        seen.clear()
        evaluated(folder, (when, 'LOWEST'), (), resume=True)
        assert len(seen) == number and left(folder)[2] == whole[2]


# ---- what a checkpoint must hold

def started(work_dir, **changes):
    toy_runner(work_dir, **changes).train()
    return work_dir / 'epoch_2.pth'


@pytest.mark.parametrize('gone, name', [('optimizer', 'optimiser'), ('param_schedulers', 'state for each schedule of the config'),
                                        ('message_hub', 'message hub'), ('meta', 'epoch, iteration')])
def test_a_file_that_lacks_something_is_not_resumed_from(tmp_path, gone, name):
    scheduler = dict(type='MultiStepLR', milestones=[1])
    path = started(tmp_path, param_scheduler=scheduler)
    checkpoint = torch.load(path, weights_only=True)
    checkpoint.pop(gone)
    torch.save(checkpoint, path)
    options = dict(load_from=str(path), param_scheduler=scheduler, train_cfg=dict(by_epoch=True, max_epochs=3))
    with pytest.raises(ValueError, match=rf'epoch_2\.pth has no {name}: (.|\n)*load_from=FILE without --resume'):
        toy_runner(tmp_path / 'on', resume=True, **options).train()
    assert not (tmp_path / 'on' / 'last_checkpoint').exists()
    toy_runner(tmp_path / 'new', **options).train()


def test_a_schedule_that_is_new_does_not_begin_in_the_middle(tmp_path):
    """mmengine pairs schedules with their states and forgets what has no partner."""
    path = started(tmp_path, param_scheduler=dict(type='MultiStepLR', milestones=[1]))
    with pytest.raises(ValueError, match='has no state for each schedule of the config: '):
        toy_runner(tmp_path / 'on', resume=True, load_from=str(path), train_cfg=dict(by_epoch=True, max_epochs=3),
                   param_scheduler=[dict(type='MultiStepLR', milestones=[n]) for n in (1, 2)]).train()


@pytest.fixture
def warned(monkeypatch):
    """Warnings of Runners."""
    lines = []
    monkeypatch.setattr(MMLogger, 'warning', lambda self, text, *args: lines.append(text))
    return lines


@pytest.mark.parametrize('old, new, expected', [
    (dict(), dict(), []),
    (dict(type='CosineAnnealingLR', T_max=2), dict(type='CosineAnnealingLR', T_max=4),
     ['CosineAnnealingLR.T_max: 2 instead of 4', 'CosineAnnealingLR.end: 2 instead of 4']),
    (dict(type='LinearLR', start_factor=0.5, end=2), dict(type='LinearLR', start_factor=0.5, end=4),
     ['LinearLR.end: 2 instead of 4', 'LinearLR.total_iters: 1 instead of 3']),
    (dict(type='WarmupCosineLR', total_epochs=2), dict(type='WarmupCosineLR', total_epochs=4), [])])
def test_settings_that_a_checkpoint_overrides_are_named(tmp_path, warned, old, new, expected):
    started(tmp_path, param_scheduler=old or None)
    toy_runner(tmp_path, resume=True, train_cfg=dict(by_epoch=True, max_epochs=4),
               param_scheduler=new or None).train()
    found = [line for text in warned if 'no effect' in text for line in text.splitlines() if line.startswith('  ')]
    assert sorted(line.strip() for line in found) == expected


def test_an_optimiser_that_a_checkpoint_overrides_is_named(tmp_path, warned):
    started(tmp_path)
    optimizer = dict(type='SGD', lr=0.2, momentum=0.9, weight_decay=0.1)
    toy_runner(tmp_path, resume=True, train_cfg=dict(by_epoch=True, max_epochs=3),
               optim_wrapper=dict(type='OptimWrapper', optimizer=optimizer)).train()
    text = next(text for text in warned if 'no effect' in text)
    assert 'optimiser.lr: 0.1 instead of 0.2' in text and 'optimiser.weight_decay: 0 instead of 0.1' in text
    assert 'momentum' not in text
