"""Any booster on any base, by config alone: every pair trains some steps of the Runner on digits."""
import itertools

import numpy as np
import pytest
import torch
from booster_runs import NoteHook, check, run, write_heads
from mmengine.registry import init_default_scope
from reduced import K, clusmatch_cfg, differences, forget, propos_cfg, write_base, write_digits
from reduced_scan import scan_cfg, selflabel_cfg
from reduced_spice import joint_cfg, spice_cfg

from mmcluster.engine.hooks import KMeansHook

pytestmark = pytest.mark.usefixtures('engine')


@pytest.fixture(scope='module')
def given(tmp_path_factory):
    """Arguments of the data source, and bases by name."""
    forget()
    init_default_scope('mmcluster')
    folder = tmp_path_factory.mktemp('bases')
    data = write_digits(folder)
    images = (torch.from_numpy(np.load(data['array'])).float()[:, None] - 77.8) / 95.9
    propos = propos_cfg('unused', data).model
    return data, dict(
        spice=write_heads(folder / 'spice.pth', spice_cfg('unused', data, base=None).model, images),
        scan=write_heads(folder / 'scan.pth', scan_cfg('unused', data).model, images),
        propos=dict({key: value for key, value in propos.items() if key != 'data_preprocessor'},
                    init_cfg=dict(type='Pretrained', checkpoint=write_base(folder / 'propos.pth', data))))


@pytest.mark.parametrize('name', ['spice', 'scan'])
def test_scan_self_labels_the_heads_of(name, given, tmp_path):
    data, bases = given
    cfg = selflabel_cfg(tmp_path, data, epochs=3)
    cfg.model.base = bases[name]
    check(run(cfg), ['loss_unsup'], bases[name])
    assert 0 < NoteHook.losses[0]['mask_share'] <= 1 and NoteHook.losses[0]['present_clusters'] > 1


@pytest.mark.parametrize('selector, output', [
    (dict(type='ProbabilityVariance', sigma=0.4), 'head_probs'),
    (dict(type='CentroidDistance', num_clusters=K, sigma=0.4, n_init=2), 'embed')])
@pytest.mark.parametrize('name', ['spice', 'scan'])
def test_clusmatch_improves(name, selector, output, given, tmp_path):
    """With the base's chosen head and the rows that it is surest of, or a new one and the rows next to the centres."""
    data, bases = given
    cfg, goes_on = clusmatch_cfg(tmp_path, data, epochs=2), output == 'head_probs'
    cfg.model.base = bases[name]
    if goes_on:
        cfg.model.head = None
    cfg.custom_hooks[0] = dict(type='SelectHook', selector=selector, output=output)
    found = run(cfg)
    check(found, ['loss_sup', 'loss_ppl', 'loss_npl', 'loss_kpl', 'loss_fair'], bases[name] if goes_on else None)
    target = found[2]['bank.target']
    assert torch.bincount(target[target >= 0], minlength=K).min() > 0 and (found[2]['bank.label'] >= 0).all()


def test_the_number_of_clusters_is_stated_once(given, tmp_path):
    """Hooks, selector, loss and metrics ask the model; the run is the same."""
    data, bases = given

    def weights(name, change):
        cfg = clusmatch_cfg(tmp_path / name, data, epochs=2)
        cfg.model.base = bases['propos']
        change(cfg)
        return run(cfg)[2]

    def forget_clusters(cfg):
        evaluators = [cfg.val_evaluator, cfg.test_evaluator]
        metrics = [metric for one in evaluators for metric in (one if isinstance(one, list) else [one])]
        places = [cfg.custom_hooks[0].selector, *cfg.custom_hooks, cfg.model.pseudo_label_loss, *metrics]
        assert sum(place.pop('num_clusters', None) is not None for place in places) >= 4

    assert differences(weights('told', lambda cfg: None), weights('asked', forget_clusters)) == []


@pytest.mark.parametrize('name', ['spice', 'scan'])
def test_clusmatch_with_clusters_that_the_trained_head_names(name, given, tmp_path, monkeypatch):
    """Of all names for the clusters of k-means, those under which most images agree with the head."""
    data, bases = given
    cfg = clusmatch_cfg(tmp_path, data, epochs=2)
    cfg.model.base, cfg.model.head = bases[name], None
    cfg.custom_hooks[0] = dict(type='SelectHook', selector=dict(type='ProbabilityVariance', sigma=0.4),
                               output='head_probs')
    cfg.custom_hooks[1].align_to = 'head'
    seen, estimate = [], KMeansHook.estimate

    def watched(self, runner, features):
        seen.append((features[:, -1].long(), estimate(self, runner, features)['label']))
        return {'label': seen[-1][1]}

    monkeypatch.setattr(KMeansHook, 'estimate', watched)
    check(run(cfg), ['loss_sup', 'loss_ppl', 'loss_npl', 'loss_kpl', 'loss_fair'], bases[name])
    for predicted, label in seen:
        votes = [int((torch.tensor(names)[label] == predicted).sum()) for names in itertools.permutations(range(K))]
        assert votes[0] == max(votes) > min(votes)


@pytest.mark.parametrize('loss, options', [('FixMatchLoss', dict(threshold=0.3)), ('FreeMatchLoss', {})])
@pytest.mark.parametrize('start', ['random', 'base'])
def test_spice_joint_on_propos(loss, options, start, given, tmp_path):
    """Labels come from k-means, since there is no head; the network is a new one, or goes on."""
    data, bases = given
    cfg = joint_cfg(tmp_path, data)
    cfg.model.pseudo_label_loss = dict(type=loss, num_clusters=K, **options)
    select = cfg.custom_hooks[0]
    select.output = 'embed'
    if start == 'random':
        select.network = dict(bases['propos'], data_preprocessor=select.network.data_preprocessor)
    else:
        select.network = None
        cfg.model.merge(dict(backbone=None, base=bases['propos']))
    found = run(cfg)
    terms = ['loss_sup', 'loss_unsup'] + ['loss_fair'] * (loss == 'FreeMatchLoss')
    if start == 'random':
        check(found, terms)
        assert not any(key.startswith('neck') for key in found[0])
    else:
        check(found, terms, bases['propos'], ('backbone', 'neck', 'head'))
    target = found[2]['bank.target']
    assert torch.bincount(target[target >= 0], minlength=K).min() > 0


@pytest.mark.parametrize('loss, options, terms', [
    ('FreeMatchLoss', {}, ['loss_unsup', 'loss_fair']), ('ConfidenceLoss', dict(threshold=0.3), ['loss_unsup']),
    ('MutexMatchLoss', dict(in_channels=8, threshold=0.3), ['loss_pos', 'loss_sep', 'loss_neg'])])
def test_spice_joint_with_another_loss(loss, options, terms, given, tmp_path):
    data, bases = given
    cfg = joint_cfg(tmp_path, data, base=bases['spice']['init_cfg']['checkpoint'])
    cfg.model.pseudo_label_loss.update(dict(type=loss, num_clusters=K, **options))
    found = run(cfg)
    check(found, ['loss_sup', *terms], trained=('backbone', 'head', 'teacher'))
    start, _, end = found
    state = [key for key in end if key.startswith('pseudo_label_loss.')]
    assert bool(differences({key: start[key] for key in state}, {key: end[key] for key in state})) is bool(state)
