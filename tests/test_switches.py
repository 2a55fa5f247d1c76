"""Options that only the papers' ablations ask for: what each changes, against slow loops."""
import math

import pytest
import torch
from reduced import K, clusmatch_cfg, propos_cfg, read_stage, train, write_base, write_digits
from reduced_asd import asd_cfg
from reduced_pici import pici_cfg

from mmcluster.datasets import StreamSampler
from mmcluster.functional.labels.instance import flip_labels
from mmcluster.functional.losses.prototype import prototype_alignment, prototype_scattering, prototype_uniformity
from mmcluster.models import Unlabelled
from mmcluster.registry import MODELS
from mmcluster.selectors import SampledKMeans

pytestmark = pytest.mark.usefixtures('engine')


# ---- ProPos: the parts of eq. 5

@pytest.mark.parametrize('dtype', [torch.float64, torch.bfloat16])
def test_alignment_and_uniformity_of_prototypes(dtype):
    torch.manual_seed(0)
    mu, other = (torch.nn.functional.normalize(torch.randn(5, 3, dtype=torch.float64), dim=1) for _ in range(2))
    present = torch.tensor([True, True, False, True, True])
    rows = [k for k in range(5) if present[k]]
    align = -sum(float(mu[k] @ other[k]) / 0.5 for k in rows) / 4
    spread = sum(math.log(sum(math.exp(float(mu[k] @ mu[j]) / 0.5) for j in rows if j != k)) for k in rows) / 4
    tolerance = 1e-9 if dtype == torch.float64 else 0.02
    assert prototype_alignment(mu.to(dtype), other.to(dtype), present) == pytest.approx(align, abs=tolerance)
    assert prototype_uniformity(mu.to(dtype), present) == pytest.approx(spread, abs=tolerance)
    # eq. 4 keeps the positive in its denominator, so their sum is only near it, and below
    assert align + spread < prototype_scattering(mu, other, present, 0.5)


def test_one_prototype_has_nothing_to_be_pushed_from():
    mu = torch.randn(3, 2).requires_grad_()
    for present in (torch.tensor([False, True, False]), torch.zeros(3, dtype=torch.bool)):
        loss = prototype_uniformity(mu, present)
        loss.backward()
        assert loss == 0 and torch.isfinite(mu.grad).all()


@pytest.mark.parametrize('terms', ['alignment', 'uniformity'])
def test_propos_trains_with_one_part(terms, tmp_path):
    cfg = propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1, warmup=0)
    cfg.model.psl_terms = terms
    cfg.custom_hooks = cfg.custom_hooks[-1:]
    assert train(cfg)


# ---- ClusMatch: thresholds and selection

def test_fixed_thresholds_of_clusmatch(tmp_path):
    data = write_digits(tmp_path)
    cfg = clusmatch_cfg(tmp_path / 'work', data, base=write_base(tmp_path / 'base.pth', data), epochs=1)
    cfg.model.pseudo_label_loss.thresholds = (0.99, 0.01)
    assert train(cfg)
    loss = MODELS.build(cfg.model.pseudo_label_loss)
    prob = torch.tensor([[0.995, 0.004, 0.001, 0.], [0.5, 0.492, 0.008, 0.], [0.98, 0.0067, 0.0067, 0.0066]])
    u = Unlabelled(*[None] * len(Unlabelled._fields))._replace(
        logits_weak=prob.clamp_min(1e-9).log(), logits_strong=torch.zeros(3, 4), index=torch.arange(3))

    class Bank:
        def read(self, field, index):
            return torch.full((3,), -1)

    found = loss.loss(None, u, Bank())
    assert found['positive_share'] == pytest.approx(1 / 3)          # the first row alone
    assert found['negative_share'] == pytest.approx((3 + 2 + 3) / 12)
    assert (loss.thresholds() == 0.99).all()


# ---- PICI: one level alone

@pytest.mark.parametrize('left_out', ['instance', 'cluster'])
def test_a_level_of_weight_0_is_left_out(left_out, tmp_path):
    cfg = pici_cfg(tmp_path, write_digits(tmp_path / 'data'))
    cfg.model[f'{left_out}_weight'] = 0.
    model = MODELS.build(dict(cfg.model, bank=dict(num_samples=4)))
    losses = model.contrast_losses(*torch.randn(2, 6, model.projector.in_channels))
    other = {'instance': 'cluster', 'cluster': 'instance'}[left_out]
    assert f'loss_{other}' in losses and f'loss_{left_out}' not in losses


# ---- ASD: noise, missing classes, k-means labels

def test_exactly_a_share_of_labels_is_flipped():
    label = torch.tensor([-1] * 3 + list(range(5)) * 8)
    for rate in (0., 0.1, 0.5, 1.):
        found = flip_labels(label, rate, 5, torch.Generator().manual_seed(0))
        assert (found != label).sum() == round(rate * 40) and (found[:3] == -1).all() and found[3:].min() >= 0
    drawn = torch.stack([flip_labels(torch.zeros(200, dtype=torch.long), 1., 4) for _ in range(20)])
    assert torch.bincount(drawn.flatten(), minlength=4)[1:].min() > 1200, 'the others are equally likely'
    with pytest.raises(ValueError, match='at least two'):
        flip_labels(label, 0.5, 1)


def test_missing_classes_are_drawn_anew_at_each_step():
    class Data:
        labels = (torch.arange(100) % 5).numpy()

        def __len__(self):
            return 100

    def sampler(**fields):
        return StreamSampler(Data(), dict(labelled=dict(size=12, **fields)), length=10)

    found = [sampler(oracle_missing=2).chunk('labelled', step) for step in range(10)]
    classes = [set((rows % 5).tolist()) for rows in found]
    assert all(len(one) <= 3 and len(set(rows.tolist())) == 12 for one, rows in zip(classes, found))
    assert set.union(*classes) == set(range(5)) and len(set(map(frozenset, classes))) > 3
    assert torch.equal(found[7], sampler(oracle_missing=2).chunk('labelled', 7)), 'a function of seed and step'
    assert torch.equal(sampler().chunk('labelled', 3), sampler(oracle_missing=0).chunk('labelled', 3))
    with pytest.raises(ValueError, match='missing classes'):
        sampler(oracle_missing=5).chunk('labelled', 0)


def test_rows_that_are_drawn_once_are_clustered_among_themselves():
    torch.manual_seed(0)
    x = torch.cat([torch.randn(30, 2) * 0.1 + center for center in torch.eye(2) * 5])
    target = SampledKMeans(20, 2)(x)
    rows = (target >= 0).nonzero().flatten()
    assert len(rows) == 20 and torch.equal(rows, (SampledKMeans(20, 2)(x.flip(1)) >= 0).nonzero().flatten())
    assert len(set((target[rows] * 2 + (rows >= 30)).tolist())) == 2


def test_k_means_labels_keep_their_names(tmp_path, monkeypatch):
    cfg = read_stage('fixmatch_cnn_digits_40')
    cfg.work_dir = str(tmp_path / 'work')
    data = write_digits(tmp_path)
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        cfg[name].dataset.source = dict(type='ArraySource', **data)
    cfg.merge_from_dict(dict(log_level='ERROR', train_cfg=dict(max_epochs=3, val_interval=3),
                             param_scheduler=dict(total_epochs=3)))
    cfg.model.head.num_clusters = cfg.model.pseudo_label_loss.num_clusters = K
    selector = dict(type='SampledKMeans', num_rows=40)
    cfg.custom_hooks = [dict(type='SelectHook', interval=1, align=True, selector=selector), dict(type='TeacherHook')]
    cfg.train_dataloader.sampler.merge(dict(length=2, streams=dict(labelled=dict(size=8), unlabelled=dict(size=16))))
    from mmcluster.engine.hooks import SelectHook
    seen, estimate = [], SelectHook.estimate
    monkeypatch.setattr(SelectHook, 'estimate', lambda self, runner, features: seen.append(
        estimate(self, runner, features)['target']) or dict(target=seen[-1]))
    train(cfg)
    assert len(seen) == 3 and all(torch.equal(one >= 0, seen[0] >= 0) for one in seen)
    chosen = seen[0] >= 0
    for before, after in zip(seen, seen[1:]):
        votes = torch.bincount(before[chosen] * K + after[chosen], minlength=K * K).view(K, K)
        assert votes.trace() >= max(votes[:, order].trace() for order in torch.tensor(
            [[0, 1, 2, 3], [1, 0, 2, 3], [0, 2, 1, 3], [3, 1, 2, 0], [1, 2, 3, 0]]))


def test_asd_with_given_labels_of_all_rows_and_noise(tmp_path):
    cfg = asd_cfg(tmp_path / 'work', write_digits(tmp_path / 'data'), epochs=1)
    cfg.model.labeller.merge(dict(given='truth', noise=0.25))
    cfg.custom_hooks = [dict(type='GroundTruthHook', per_class='all', field='truth'),
                        *(hook for hook in cfg.custom_hooks if hook.type != 'TransitionHook')]
    assert train(cfg)
