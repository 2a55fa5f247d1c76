"""Numbers that make no sense are refused where a part is built, with its name and the argument's."""
import inspect
import math

import pytest
import torch
from reduced import propos_cfg, train, write_digits

from mmcluster import datasets, selectors
from mmcluster.datasets import transforms
from mmcluster.engine import hooks, scheduler
from mmcluster.engine.optim import OptimWrapper
from mmcluster.evaluation import ClusteringMetric
from mmcluster.models import (BYOL, PICI, RUC, SCAN, SPICE, MoCo, MomentumTeacher, ProPos, SimCLR, TwoLevelClusterer,
                              ViewPreprocessor, pseudo_label_losses)
from mmcluster.models.heads import LinearClusterHead, MultiHead
from mmcluster.models.labellers import ASDLabels
from mmcluster.models.necks import MLPProjector

NAN = math.nan
LOSSES = {name: getattr(pseudo_label_losses, name) for name in pseudo_label_losses.__all__ if name.endswith('Loss')}
BAD = [
    (MoCo, dict(temperature=-1)), (MoCo, dict(temperature=NAN)), (MoCo, dict(decay=-1)), (MoCo, dict(queue_size=0.5)),
    (BYOL, dict(decay=1.5)), (SimCLR, dict(temperature=0)), (TwoLevelClusterer, dict(temperature=-1)),
    (TwoLevelClusterer, dict(cluster_temperature=math.inf)), (PICI, dict(pisd=-1)), (ProPos, dict(temperature='cold')),
    (ProPos, dict(sigma=NAN)), (ProPos, dict(queue_size=-5)), (ProPos, dict(psl_weight=-0.1)),
    (RUC, dict(relabel_threshold=-0.1)), (RUC, dict(unsup_weight=-25)), (SCAN, dict(num_neighbors=0)),
    (SCAN, dict(entropy_weight=-5)), (SPICE, dict(center_ratio=0)), (SPICE, dict(repeat=0)),
    (MomentumTeacher, dict(decay=-1)), (ASDLabels, dict(reg=-0.2)), (ASDLabels, dict(window=0)),
    (MultiHead, dict(num_heads=0)), (LinearClusterHead, dict(in_channels=0)),
    (MLPProjector, dict(out_channels=-1)), (ViewPreprocessor, dict(mean=[0], std=[-1])),
    (ViewPreprocessor, dict(mean=[NAN], std=[1])), (ViewPreprocessor, dict(mean=[0, 0], std=[1, 0])),
    (LOSSES['FixMatchLoss'], dict(threshold=95)), (LOSSES['FreeMatchLoss'], dict(decay=-1)), (LOSSES['FreeMatchLoss'], dict(max_threshold=1.5)),
    (LOSSES['MixMatchLoss'], dict(alpha=0)), (LOSSES['SoftMatchLoss'], dict(n_sigma=-2)),
    (LOSSES['FlexMatchLoss'], dict(threshold=NAN)), (LOSSES['MutexMatchLoss'], dict(k=-1)),
    (LOSSES['AdaMatchLoss'], dict(decay=2)), (LOSSES['ClusMatchLoss'], dict(npl_weight=-1)),
    (LOSSES['ConfidenceLoss'], dict(threshold=-0.1)),
    (hooks.KMeansHook, dict(n_init=-1)), (hooks.KMeansHook, dict(interval=NAN)), (hooks.KMeansHook, dict(interval=0)),
    (hooks.KMeansHook, dict(begin=-1)), (hooks.KMeansHook, dict(batch_size=0)),
    (hooks.KMeansHook, dict(posterior_temperature=0)),
    (hooks.CollapseHook, dict(min_balance=NAN)),
    (hooks.TransitionHook, dict(first=0)), (hooks.RuntimeInfoHook, dict(history=0)),
    (hooks.CheckpointHook, dict(interval=0)), (hooks.CheckpointHook, dict(interval=-5)),
    (hooks.CheckpointHook, dict(interval='often')), (hooks.RuntimeInfoHook, dict(interval=-1)), (hooks.GroundTruthHook, dict(per_class=NAN)),
    (scheduler.WarmupCosineLR, dict(total_epochs=-1)), (scheduler.WarmupCosineLR, dict(warmup_epochs=-1)),
    (scheduler.FixMatchCosineLR, dict(total_epochs=0)), (ClusteringMetric, dict(n_init=-1)),
    (selectors.CentroidDistance, dict(n_init=0)), (selectors.AccompaniedPrototypes, dict(per_cluster=NAN)),
    (selectors.LocalConsistency, dict(ratio=2)), (selectors.LocalConsistency, dict(floor=-1)),
    (selectors.HybridClean, dict(k=0)), (selectors.FirstRows, dict(num_rows=1.5)),
    (datasets.StreamSampler, dict(micro_batches=0)), (datasets.StreamSampler, dict(length=-1)),
    (datasets.SweepSampler, dict(batch_size=0)), (transforms.BatchFlip, dict(prob=2)),
    (transforms.BatchGaussianBlur, dict(prob=-1)), (transforms.BatchColorJitter, dict(brightness=-0.4)),
    (transforms.BatchRandomCrop, dict(padding=-1)), (transforms.BatchFixMatchRandAugment, dict(num_ops=-1)),
]


@pytest.mark.parametrize('part, bad', BAD, ids=[f'{part.__name__}-{"-".join(map(str, bad))}-{number}'
                                                for number, (part, bad) in enumerate(BAD)])
def test_a_bad_number_is_refused_by_name(part, bad):
    """Arguments are looked at first, so the others need not be real."""
    needed = {name: {} for name, argument in inspect.signature(part).parameters.items()
              if argument.default is argument.empty and argument.kind not in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD)}
    needed.update({name: 4 for name in ('num_clusters', 'in_channels', 'num_labelled', 'num_unlabelled', 'total_epochs')
                   if name in needed})
    with pytest.raises(ValueError, match=f'({"|".join(bad)}).* must be .*got '):
        part(**{**needed, **bad})


@pytest.mark.parametrize('course', [dict(steps=[(0, NAN)]), dict(steps=[(0, 1.), (math.inf, 2.)]),
                                    dict(cosine=dict(start=NAN, end=1.)), dict(linear=dict(start=0., end=math.inf))])
def test_a_schedule_of_numbers_that_are_not_finite_is_refused(course):
    with pytest.raises(ValueError, match="ScheduleHook for 'sigma': all numbers must be finite"):
        hooks.ScheduleHook('sigma', **course)


@pytest.mark.parametrize('limit', [dict(max_norm=-1), dict(max_norm=0), dict(type='value', clip_value=NAN)])
def test_a_limit_that_would_turn_gradients_around_is_refused(limit):
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
    with pytest.raises(ValueError, match=r'optim_wrapper\.clip_grad: \w+ must be positive'):
        OptimWrapper(optimiser, clip_grad=limit)


def test_steps_of_a_schedule_before_the_run_or_at_one_epoch():
    with pytest.raises(ValueError, match='epoch must be at least 0, got -4'):
        hooks.ScheduleHook('sigma', steps=[(0, 0.), (-4, 1.)])
    assert hooks.ScheduleHook('sigma', steps=[(0, 1.), (0, 0.)]).value(3, 0, 10) == 0


@pytest.mark.usefixtures('engine')
@pytest.mark.parametrize('key, value, message', [
    ('train_cfg.val_interval', 0, 'train_cfg: val_interval must be at least 1'),
    ('train_cfg.val_interval', -3, 'train_cfg: val_interval must be at least 1'),
    ('optim_wrapper.accumulative_counts', 0, 'optim_wrapper: accumulative_counts must be at least 1')])
def test_a_run_is_not_begun_with_a_number_that_would_stop_it(tmp_path, key, value, message):
    cfg = propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1)
    cfg.merge_from_dict({key: value})
    with pytest.raises(ValueError, match=message):
        train(cfg)
    assert not list((tmp_path / 'work').glob('*.pth'))


def test_one_class_is_said_to_mean_nothing(monkeypatch):
    told = []
    monkeypatch.setattr('mmcluster.evaluation.clustering.print_log', lambda text, **kwargs: told.append(text))
    metric, index, embed = ClusteringMetric(num_clusters=2, n_init=1), torch.arange(6), torch.randn(6, 3)
    metric.clusters = 2
    metric.compute_metrics([(index, embed, torch.tensor([-1, 3, 3, 3, -1, 3]))])
    assert 'all 4 labelled images are of one class' in told.pop()
    metric.compute_metrics([(index, embed, torch.tensor([-1, 3, 3, 2, -1, 3]))])
    assert not told


def test_good_numbers_pass():
    hooks.KMeansHook(4, interval=-1, posterior_temperature=None)
    hooks.CollapseHook(interval=3, max_share=1)
    ViewPreprocessor(mean=[0], std=[255])
    selectors.HybridClean(4, threshold=0)
    MomentumTeacher(dict(a=torch.nn.Linear(1, 1)), 1.)
