"""SeCu and ClusMatch on it, trained on a few digits: laws, schedule, resume, bad input."""
import json
import os

import pytest
import torch
from killed import Killed
from mmengine.hooks import Hook
from reduced import K, N, differences, load, train, write_digits, write_recipe
from reduced_cc import cc_cfg
from reduced_secu import boost_secu_cfg, secu_cfg

from mmcluster.engine.extract import unwrap
from mmcluster.models import SeCu
from mmcluster.registry import HOOKS

pytestmark = pytest.mark.usefixtures('engine')
ENTROPY = dict(entropy_weight=20.)


def weights(path):
    return {part: load(path)[part] for part in ('state_dict', 'optimizer', 'param_schedulers') if part in load(path)}


def run_recipe(folder, permute=None):
    data = write_digits(folder, permute)
    stages = dict(secu=secu_cfg('', data), clusmatch=boost_secu_cfg('', data))
    return {name: weights(path) for name, path in train(write_recipe(folder, stages)).items()}


def metrics(work):
    return json.loads((work / 'metrics.jsonl').read_text().splitlines()[-1])


@pytest.fixture(scope='module')
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp('secu')
    return run_recipe(folder), folder / 'work'


def test_the_recipe(original):
    """All heads are kept; the one with K clusters chooses the rows, a new one goes on from the embedding."""
    stages, work = original
    first, second = (stage['state_dict'] for stage in stages.values())
    assert {key.split('.')[0] for key in first} == {'backbone', 'neck', 'heads', 'previous', 'dual', 'bank',
                                                    'final_centers'}
    assert first['heads.1.weight'].shape == (2 * K, 8) and first['bank.head_label'].shape == (N, 2)
    assert (first['bank.head_label'] >= 0).all() and first['dual'].any()
    assert not any(key.startswith('heads') for key in second) and second['head.fc.weight'].shape == (K, 8)
    chosen = second['bank.target']
    assert 0 < (chosen >= 0).sum() <= K * int(0.4 * N / K)
    assert 'head/acc' in metrics(work / 'secu') and 'kmeans/acc' in metrics(work / 'clusmatch')


def test_permuted_labels_leave_the_weights_bit_identical(original, tmp_path):
    stages, work = original
    assert differences(stages, run_recipe(tmp_path, permute=1)) == []
    assert metrics(tmp_path / 'work' / 'secu') != metrics(work / 'secu'), 'the labels that metrics saw were permuted'


@HOOKS.register_module(force=True)
class WatchSeCu(Hook):
    """Notes the rates, and whether kept and present centres are equal, before every step."""

    priority = 'LOWEST'
    seen: list = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        model: SeCu = unwrap(runner.model)
        rates = {tuple(group['params'][0].shape): group['lr'] for group in runner.optim_wrapper.param_groups}
        same = torch.equal(model.previous, model.centers())
        network = torch.cat([param.detach().flatten() for param in model.backbone.parameters()])
        self.seen.append((runner.epoch, rates[K, 8], min(rates.values()), same, network))


def test_an_epoch_of_centres_alone(tmp_path):
    WatchSeCu.seen = []
    cfg = secu_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=4)
    cfg.custom_hooks.append(dict(type='WatchSeCu'))
    train(cfg)
    epochs, centers, network, same, weight = zip(*WatchSeCu.seen)
    rate = cfg.optim_wrapper.optimizer.lr
    assert epochs == (0,) * 3 + (1,) * 3 + (2,) * 3 + (3,) * 3
    assert set(centers) == {rate * cfg.optim_wrapper.paramwise_cfg.lr_mult.heads}
    assert network == pytest.approx([0, 0, 0, rate / 3, 2 * rate / 3, rate, *(
        rate * 0.5 * (1 + torch.cos(torch.tensor(torch.pi * i / 6)).item()) for i in range(1, 7))], abs=1e-7)
    assert same == (True, False, False) * 4, 'centres are kept when an epoch begins, and move in it'
    assert torch.equal(weight[0], weight[3]) and not torch.equal(weight[3], weight[4])


@pytest.mark.parametrize('options', [{}, ENTROPY], ids=['size', 'entropy'])
def test_interrupted_equals_uninterrupted(tmp_path, kill, options):
    """Killed in the first epoch, when some images have a label, and between two of the warm-up and the cosine."""
    data = write_digits(tmp_path)
    whole = train(secu_cfg(tmp_path / 'whole', data, **options))['train']
    for i, iteration in enumerate((4, 7)):
        kill(iteration)
        with pytest.raises(Killed):
            train(secu_cfg(tmp_path / 'parts', data, **options), resume=bool(i))
    kill(None)
    parts = train(secu_cfg(tmp_path / 'parts', data, **options), resume=True)['train']
    assert load(whole)['meta']['iter'] == load(parts)['meta']['iter'] == 9
    assert differences(weights(whole), weights(parts)) == []
    first = load(os.path.join(os.path.dirname(whole), 'epoch_1.pth'))['state_dict']
    moved = set(differences(first, load(whole)['state_dict']))
    assert {'bank.head_label', 'previous', 'heads.0.weight', 'counts' if options else 'dual'} <= moved
    if options:
        assert load(whole)['state_dict']['counts'].sum() == 2 * N


def test_the_hook_is_needed_and_needs_centres(tmp_path):
    cfg = secu_cfg(tmp_path / 'work', write_digits(tmp_path))
    cfg.custom_hooks = []
    with pytest.raises(ValueError, match=r"SeCu needs dict\(type='PreviousCentersHook'\) in custom_hooks"):
        train(cfg)
    other = cc_cfg(tmp_path / 'cc', write_digits(tmp_path), epochs=1)
    other.custom_hooks = [dict(type='PreviousCentersHook')]
    with pytest.raises(ValueError, match='PreviousCentersHook: CC keeps no centres of an earlier epoch; drop'):
        train(other)
