"""MoCo, SPICE's heads and joint training as one recipe of a few digits: laws, resume, bad input."""
import json
import re

import numpy as np
import pytest
import torch
from killed import Killed
from mmengine.hooks import Hook
from reduced import ROOT, K, differences, load, propos_cfg, train, write_base, write_digits, write_recipe
from reduced_spice import joint_cfg, moco_cfg, spice_cfg

from mmcluster.engine.hooks import SeedHook
from mmcluster.engine.launch import without_pretrained
from mmcluster.recipes.stages import read_stage
from mmcluster.registry import HOOKS, MODELS

pytestmark = pytest.mark.usefixtures('engine')
STAGES = dict(moco=moco_cfg, spice_self=spice_cfg, spice_joint=joint_cfg)


def weights(path):
    return {part: load(path)[part] for part in ('state_dict', 'optimizer')}


def run_recipe(folder, permute=None):
    data = write_digits(folder, permute)
    trained = train(write_recipe(folder, {name: make('', data) for name, make in STAGES.items()}))
    metrics = (folder / 'work' / 'spice_joint' / 'metrics.jsonl').read_text()
    return {name: weights(path) for name, path in trained.items()}, metrics


@pytest.fixture(scope='module')
def original(tmp_path_factory):
    return run_recipe(tmp_path_factory.mktemp('original'))


def test_every_stage_trains(original):
    stages, metrics = original
    assert set(stages) == set(STAGES)
    state = stages['spice_self']['state_dict']
    assert torch.isfinite(state['best_so_far.loss']) and 'bank.feat' not in state
    assert any(torch.equal(state['best_so_far.head.fc2.weight'], state[f'head.heads.{h}.fc2.weight']) for h in range(3)) \
        or state['best_so_far.loss'] < 10
    target = stages['spice_joint']['state_dict']['bank.target']
    sizes = torch.bincount(target[target >= 0], minlength=K)
    assert len(sizes) == K and len(set(sizes[sizes > 0].tolist())) == 1, 'equally many of every cluster that exists'
    assert 'head/acc' in json.loads(metrics.splitlines()[-1])


def test_the_backbone_stays_what_the_base_made_it(original):
    stages = original[0]
    base = {key: value for key, value in stages['moco']['state_dict'].items() if key.startswith('backbone.')}
    own = {key: value for key, value in stages['spice_self']['state_dict'].items() if key.startswith('backbone.')}
    assert base and differences(base, own) == []
    joint = stages['spice_joint']['state_dict']
    assert not torch.equal(joint['backbone.stages.0.0.conv.weight'], base['backbone.stages.0.0.conv.weight'])


def test_permuted_labels_leave_the_weights_bit_identical(original, tmp_path):
    permuted, metrics = run_recipe(tmp_path, permute=1)
    assert differences(original[0], permuted) == []
    assert metrics != original[1]


@pytest.mark.parametrize('parts', [2, 5])
def test_parts_of_a_step_leave_the_weights_alone(tmp_path, parts):
    data = write_digits(tmp_path)
    runs = [train(spice_cfg(tmp_path / str(n), data, base=None, parts=n))['train'] for n in (1, parts)]
    first, second = (load(path) for path in runs)
    assert first['meta']['iter'] == second['meta']['iter'] == 6, 'an iteration is an E-step'
    for name, value in first['state_dict'].items():
        torch.testing.assert_close(value, second['state_dict'][name], rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize('options', [dict(), dict(freeze=False), dict(norm_eval=False)])
def test_an_interrupted_run_goes_on_bit_for_bit(tmp_path, monkeypatch, options):
    data = write_digits(tmp_path)
    whole = train(spice_cfg(tmp_path / 'whole', data, base=None, **options))['train']
    original = SeedHook.before_train_iter

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 3:
            raise Killed
        original(self, runner, batch_idx, data_batch)

    monkeypatch.setattr(SeedHook, 'before_train_iter', before_train_iter)
    with pytest.raises(Killed):
        train(spice_cfg(tmp_path / 'cut', data, base=None, **options))
    monkeypatch.undo()
    resumed = train(spice_cfg(tmp_path / 'cut', data, base=None, **options), resume=True)['train']
    first, second = load(whole), load(resumed)
    assert differences(*[{key: form[key] for key in ('state_dict', 'optimizer')} for form in (first, second)]) == []
    assert first['meta']['iter'] == second['meta']['iter']


@HOOKS.register_module(force=True)
class PoisonHook(Hook):
    """Makes the features not finite at the end of an epoch."""

    priority = 'HIGH'

    def after_train_epoch(self, runner):
        with torch.no_grad():
            runner.model.backbone.stages[0][0].conv.weight.fill_(float('nan'))


def test_features_that_are_not_finite_stop_the_run_and_keep_the_files(tmp_path):
    cfg = spice_cfg(tmp_path / 'work', write_digits(tmp_path), base=None)
    cfg.custom_hooks.insert(0, dict(type='PoisonHook'))
    with pytest.raises(FloatingPointError, match='not finite'):
        train(cfg)
    assert not list((tmp_path / 'work').glob('*.pth'))


@pytest.mark.parametrize('change, words', [
    (lambda images: images[::-1], 'another data set'), (lambda images: images[:50], r'bank.target .60,. instead of')])
def test_labels_of_another_data_set_are_refused(tmp_path, change, words):
    data = write_digits(tmp_path)
    heads = train(spice_cfg(tmp_path / 'heads', data, base=None))['train']
    trained = train(joint_cfg(tmp_path / 'joint', data, base=heads, epochs=1))['train']
    before = load(trained)
    for file in data.values():
        np.save(file, change(np.load(file)))
    with pytest.raises(ValueError, match=words):
        train(joint_cfg(tmp_path / 'again', data, base=heads, epochs=2), resume=trained,
              allow_config_change=True)
    assert differences(before, load(trained)) == []


@pytest.mark.parametrize('make, hook', [(spice_cfg, 'BestHeadHook'), (joint_cfg, 'TeacherHook')])
def test_a_run_that_would_evaluate_its_start_is_refused(tmp_path, make, hook):
    cfg = make(tmp_path / 'work', write_digits(tmp_path), base=None if make is spice_cfg else 'nowhere.pth')
    cfg.custom_hooks = [other for other in cfg.custom_hooks if other.type != hook]
    with pytest.raises(ValueError, match=f'needs .*{hook}'):
        train(cfg)


@pytest.mark.parametrize('make, loop, parts, words', [
    (spice_cfg, 'EpochBasedTrainLoop', 1, "SPICE takes several .* set train_cfg.type='InnerStepLoop', not 'EpochBased"),
    (spice_cfg, 'EpochBasedTrainLoop', 2, "set train_cfg.type='InnerStepLoop'"),
    (moco_cfg, 'EpochBasedTrainLoop', 2, 'micro_batches=2 lists, and EpochBasedTrainLoop .*drop train_dataloader.sampler.mic'),
    (moco_cfg, 'InnerStepLoop', 1, "MoCo has no method steps.*train_cfg.type='EpochBasedTrainLoop'")])
def test_a_loop_that_does_not_fit_is_refused_at_the_start(tmp_path, make, loop, parts, words):
    cfg = make(tmp_path / 'work', write_digits(tmp_path), **(dict(base=None) if make is spice_cfg else {}))
    cfg.train_cfg.type = loop
    cfg.train_dataloader.sampler.micro_batches = parts
    with pytest.raises(ValueError, match=words):
        train(cfg)
    assert not list((tmp_path / 'work').glob('*.pth'))


# ---- ProPos as the base, as the documentation has it

def documented(folder, own):
    """The last stage of the recipe of the page on SPICE; ``own``: with the network of the base."""
    text = re.findall(r'```python\n(.*?)```', (ROOT / 'docs/en/methods/spice.md').read_text(), re.DOTALL)[own]
    path = folder / f'documented_{own}.py'
    path.write_text(text)
    return read_stage(path, 'spice_joint')


@pytest.mark.parametrize('own', [False, True])
def test_the_documented_network_fits(tmp_path, own):
    cfg = documented(tmp_path, own)
    model = MODELS.build(dict(without_pretrained(cfg.model), bank=dict(num_samples=4)))
    model.init_weights()
    x = torch.randn(2, 3, 32, 32)
    assert model.eval().logits(x).shape == (2, 10) and model.embed(x).shape == (2, 256 if own else 512)
    assert (cfg.custom_hooks[0].network is None) is own
    assert cfg.model.data_preprocessor.std[0] == (51.5865 if own else 63.)


@pytest.mark.parametrize('own', [False, True])
def test_the_documented_stage_trains(tmp_path, own):
    cfg, data = documented(tmp_path, own), write_digits(tmp_path / 'data')
    small, propos = joint_cfg(tmp_path / 'work', data), propos_cfg('unused', data).model
    propos.init_cfg = dict(type='Pretrained', checkpoint=write_base(tmp_path / 'base.pth', data))
    owner, name = (cfg.model, 'base') if own else (cfg.custom_hooks[0], 'network')
    assert owner[name].type == propos.type and set(owner[name]) < set(propos)
    owner[name] = propos
    cfg.model.update({key: small.model[key] for key in ('data_preprocessor', 'teacher')})
    cfg.model.head.update(small.model.head)
    cfg.model.pseudo_label_loss.num_clusters = K
    cfg.model.backbone = None if own else small.model.backbone
    cfg.custom_hooks[0].selector.update(dict(num_clusters=K, k=5, ratio=0., floor=2))
    small.model, small.custom_hooks = cfg.model, cfg.custom_hooks
    state = load(train(small)['train'])['state_dict']
    assert ('neck.fc2.weight' in state) is own and (state['bank.target'] >= 0).any()


def test_more_neighbors_than_images_say_so(tmp_path):
    data = write_digits(tmp_path)
    cfg = joint_cfg(tmp_path / 'joint', data, base=train(spice_cfg(tmp_path / 'heads', data, base=None))['train'])
    cfg.custom_hooks[0].selector.k = 61
    with pytest.raises(ValueError, match='lower k'):
        train(cfg)


def test_an_e_step_smaller_than_the_number_of_clusters_says_so(tmp_path):
    cfg = spice_cfg(tmp_path / 'work', write_digits(tmp_path), base=None)
    cfg.train_dataloader.sampler.streams.batch.size = K - 1
    with pytest.raises(ValueError, match='at least as many'):
        train(cfg)
