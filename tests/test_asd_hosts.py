"""ASD inside SCAN and SPICE, on a network that had labels, and its own network as a base of other boosters."""
import numpy as np
import pytest
import torch
from booster_runs import check, deployed, run, write_heads
from mmengine.config import Config
from reduced import CONFIGS, K, differences, load, train, write_digits
from reduced_asd import asd_base, asd_cfg, hosted_cfg
from reduced_scan import scan_cfg
from reduced_spice import _finish, _read, joint_cfg, spice_cfg

from mmcluster.engine.hooks import TransitionHook
from mmcluster.models.base_parts import load_base
from mmcluster.recipes.stages import read_stage

pytestmark = pytest.mark.usefixtures('engine')


@pytest.fixture
def maps(monkeypatch):
    """Arguments and result of every map that a run makes."""
    seen, make = [], TransitionHook.make_map

    def make_map(self, runner, votes=None):
        seen.append((votes, make(self, runner, votes)))
        return seen[-1][-1]

    monkeypatch.setattr(TransitionHook, 'make_map', make_map)
    return seen


def agreement(found, votes):
    """Images whose instance class has the cluster that the head gives them, for all names of the clusters."""
    names = [torch.tensor(order) for order in torch.cartesian_prod(*[torch.arange(K)] * K).tolist()
             if len(set(order)) == K]
    return [int(votes[torch.arange(len(found)), name[found]].sum()) for name in [torch.arange(K), *names]]


@pytest.mark.parametrize('host', ['scan', 'spice'])
def test_a_host_hands_over_its_network_and_its_head(host, tmp_path, maps):
    """The first map has the names under which most images agree with the head."""
    data = write_digits(tmp_path)
    images = (torch.from_numpy(np.load(data['array'])).float()[:, None] - 77.8) / 95.9
    model = scan_cfg('', data).model if host == 'scan' else spice_cfg('', data, base=None).model
    base = write_heads(tmp_path / 'host.pth', model, images)
    cfg = hosted_cfg(tmp_path / 'work', data, host, base['init_cfg']['checkpoint'], epochs=5)
    assert {key for key in cfg.model.base if key not in base} <= {'norm_eval'}
    cfg.model.base = base
    start, losses, end = run(cfg)
    first = ['loss_sup' in step for step in losses].index(True)
    check((start, losses[first:], end), ['loss_ins', 'loss_sup', 'loss_unsup'], base, ('backbone', 'head', 'labeller'))
    wanted = deployed(base)
    assert differences({key: start[f'teacher.{key}'] for key in wanted}, wanted) == []
    votes, named = maps[0]
    given, *others = agreement(named, votes)
    assert votes.shape == (len(named), K) and given == max(others) > min(others)
    assert 0 < votes.sum() <= 60 and all(votes is None for votes, _ in maps[1:])
    assert set(end['labeller.class_map'].tolist()) == set(range(K)) and (end['bank.prototypes'] >= 0).sum() == 8


def given_labels_cfg(work_dir, data):
    """FreeMatch with two given labels a class."""
    cfg = _read('fixmatch_cnn_digits_40', work_dir)
    cfg.model.merge(dict(backbone=dict(widths=(4, 8)), head=dict(in_channels=8, num_clusters=K),
                         pseudo_label_loss=dict(type='FreeMatchLoss', num_clusters=K)))
    cfg.custom_hooks[0].per_class = 2
    cfg.train_dataloader.sampler.merge(dict(length=3, streams=dict(labelled=dict(size=8), unlabelled=dict(size=20))))
    return _finish(cfg, data, 2)


def test_given_labels_are_forgotten_in_the_second_phase(tmp_path, maps):
    """Other ground truth leaves the weights of the second phase alone."""
    def second(folder, data, checkpoint):
        cfg = asd_cfg(folder, data, epochs=2)
        first = given_labels_cfg('', data)
        cfg.model.pop('backbone')
        cfg.model.merge(dict(base=asd_base(first, checkpoint), head=None))
        for hook in cfg.custom_hooks:
            if hook.type == 'TransitionHook':
                hook.align_first = 'head'
        return train(cfg)['train']

    data = {permute: write_digits(tmp_path / 'data', permute) for permute in (None, 1)}
    first = train(given_labels_cfg(tmp_path / 'first', data[None]))['train']
    seconds = [load(second(tmp_path / f'second{permute}', data[permute], first))['state_dict'] for permute in data]
    assert differences(*seconds) == [] and (seconds[0]['labeller.class_map'] >= 0).all()
    assert 'bank.target' not in seconds[0] and maps[0][0] is not None


def given_phases(tmp_path, data, second):
    """ASD with eight given labels, and what goes on from it without them."""
    first = asd_cfg(tmp_path / 'first', data, epochs=2, given='target')
    first.train_dataloader.sampler.streams.labelled.pool = 'target'
    first.custom_hooks = [dict(type='GroundTruthHook', per_class=2), dict(type='AnchorHook'), dict(type='TeacherHook')]
    cfg = asd_cfg(tmp_path / 'second', second, epochs=2)
    cfg.model.init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'first' / 'epoch_2.pth'),
                              leave_out=[r'bank\.target'])
    for hook in cfg.custom_hooks:
        if hook.type == 'TransitionHook':
            hook.update(first=1, align_first='head')
    return first, cfg


def test_a_phase_with_given_labels_goes_on_without_them(tmp_path, maps):
    """Instance classes, transitions and averages go on; other ground truth changes nothing then."""
    data = {permute: write_digits(tmp_path / 'data', permute) for permute in (None, 1)}
    first, second = given_phases(tmp_path, data[None], data[None])
    start, losses, given = run(first)
    assert all({'loss_ins', 'loss_sup', 'loss_unsup'} <= set(step) for step in losses) and not maps
    assert differences(start, given) != [] and given['labeller.counts'].sum() > 0
    assert given.pop('bank.target').ge(0).sum() == 8
    start, losses, end = run(second)
    taken = {key: value for key, value in given.items() if not key.startswith('final_centers.')}
    assert differences(start, taken) == []
    assert 'loss_sup' not in losses[0] and all('loss_sup' in step for step in losses[1:])
    assert maps[0][0] is not None and torch.equal(end['bank.anchor'], given['bank.anchor'])
    other = given_phases(tmp_path, data[None], data[1])[1]
    other.work_dir = str(tmp_path / 'other')
    assert differences(run(other)[2], end) == []


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """Data, and an ASD with FreeMatch as the base of others."""
    folder = tmp_path_factory.mktemp('asd')
    data = write_digits(folder)
    cfg = asd_cfg(folder / 'work', data, epochs=3)
    model = cfg.copy()
    return data, asd_base(model, train(cfg)['train'])


def test_a_booster_takes_over_the_averaged_network(trained):
    _, base = trained
    state, parts = load(base['init_cfg']['checkpoint'])['state_dict'], deployed(base)
    assert differences(parts, {key: state[f'teacher.{key}'] for key in parts}) == []
    assert differences(parts, {key: state[key] for key in parts}) != []
    assert {key.split('.')[0] for key in parts} == {'backbone', 'head'}


@pytest.mark.parametrize('loss, terms', [
    (dict(type='ClusMatchLoss', decay=0.9), ['loss_ppl', 'loss_npl', 'loss_kpl', 'loss_fair']),
    (dict(type='FixMatchLoss', threshold=0.3), ['loss_unsup'])], ids=['clusmatch', 'fixmatch'])
def test_other_boosters_on_asd(loss, terms, trained, tmp_path):
    """The rows that ASD's head is surest of are the labelled ones; the head goes on."""
    data, base = trained
    cfg = joint_cfg(tmp_path, data)
    cfg.model.merge(dict(backbone=None, head=None, base=base))
    cfg.model.pseudo_label_loss = dict(num_clusters=K, **loss)
    cfg.custom_hooks = [
        dict(type='SelectHook', output='head_probs', selector=dict(type='ProbabilityVariance', sigma=0.4)),
        *[dict(type='KMeansHook', num_clusters=K, n_init=2, align_to='target')] * ('loss_kpl' in terms),
        dict(type='TeacherHook')]
    check(run(cfg), ['loss_sup', *terms], base)


@pytest.mark.parametrize('spoil, problem', [
    (dict(labeller=dict(window=7)), r"labeller\.ring (has shape )?\(6, 20\)"),
    (dict(teacher=None), 'unexpected: teacher'), (dict(labeller=None), r'unexpected: .*labeller\.'),
    (dict(pseudo_label_loss=dict(_delete_=True, type='FixMatchLoss', num_clusters=K)), 'pseudo_label_loss.time_p')])
def test_another_config_than_the_one_it_was_trained_with(spoil, problem, trained):
    cfg = Config(dict(base=trained[1]))
    cfg.merge_from_dict(dict(base=spoil))
    with pytest.raises(ValueError, match=problem):
        load_base(cfg.base)


def test_the_recipe_of_digits_names_what_asd_trained():
    """The base of the ClusMatch stage is the model of the ASD stage, also when its sizes change."""
    path, facts = CONFIGS / 'asd_ps_clusmatch_cnn_digits.py', {'facts.labelled': 20}
    base = read_stage(path, 'clusmatch', facts).model.base
    asd = read_stage(path, 'asd', facts).model
    asd.pop('data_preprocessor')
    assert base == dict(asd, init_cfg=dict(type='Pretrained', checkpoint='{asd}')) and base.labeller.num_labelled == 20
