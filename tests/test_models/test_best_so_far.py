"""The network that a label-free selection keeps."""
import pytest
import torch
from small_models import disturb
from torch import nn

from mmcluster.models import BestSoFar


def net(seed=0):
    torch.manual_seed(seed)
    return dict(backbone=nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), neck=None, head=nn.Linear(4, 2))


def kept(chosen):
    return {name: value.clone() for name, value in chosen.state_dict().items() if '.' in name}


def weights(modules):
    return {f'{name}.{key}': value.clone() for name, module in modules.items() if module is not None
            for key, value in module.state_dict().items()}


def same(first, second):
    return set(first) == set(second) and all(torch.equal(value, second[name]) for name, value in first.items())


def test_it_starts_as_a_frozen_copy_of_the_given_parts():
    modules = net()
    chosen = BestSoFar(modules)
    assert chosen.names == ['backbone', 'head'] and not hasattr(chosen, 'neck')
    assert same(kept(chosen), weights(modules)) and chosen.loss == float('inf')
    assert not any(parameter.requires_grad for parameter in chosen.parameters())
    assert all(parameter.requires_grad for parameter in modules['head'].parameters()), 'the original still trains'
    disturb(modules['head'])
    assert not same(kept(chosen), weights(modules)), 'the copies have storage of their own'


def test_the_lowest_loss_wins_over_all_offers():
    modules = net()
    chosen = BestSoFar(modules)
    losses, expected, taken = [2., 3., 1.5, 1.6, 1.4], {}, []
    for step, loss in enumerate(losses):
        disturb(modules['backbone'], step)
        disturb(modules['head'], step + 10)
        modules['backbone'](torch.randn(8, 3) + step)
        if loss < min([float('inf'), *losses[:step]]):
            expected = weights(modules)
        taken.append(chosen.keep_if_better(modules, torch.tensor(loss), head_index=step))
        assert same(kept(chosen), expected), 'parameters and running statistics'
    assert taken == [True, False, True, False, True]
    assert chosen.loss == torch.tensor(1.4) and chosen.head_index == 4
    assert not any(parameter.requires_grad for parameter in chosen.parameters())


@pytest.mark.parametrize('loss', ['nan', 'inf', '-inf'])
@pytest.mark.parametrize('before', [None, 2.])
def test_a_loss_that_is_not_finite_never_wins(loss, before):
    modules = net()
    chosen = BestSoFar(modules)
    if before is not None:
        assert chosen.keep_if_better(modules, torch.tensor(before), 3)
    state = {name: value.clone() for name, value in chosen.state_dict().items()}
    disturb(modules['head'])
    assert chosen.keep_if_better(modules, torch.tensor(float(loss)), 5) is False
    assert same(state, chosen.state_dict())


def test_of_equal_losses_the_earlier_stays():
    modules = net()
    chosen = BestSoFar(modules)
    chosen.keep_if_better(modules, torch.tensor(1.25), 1)
    before = kept(chosen)
    disturb(modules['head'])
    assert not chosen.keep_if_better(modules, torch.tensor(1.25, dtype=torch.float64), 2)
    assert same(kept(chosen), before) and chosen.head_index == 1


def test_a_checkpoint_holds_the_choice():
    modules = net()
    chosen, resumed = BestSoFar(modules), BestSoFar(net(1))
    disturb(modules['head'])
    chosen.keep_if_better(modules, torch.tensor(1.5), 7)
    assert set(chosen.state_dict()) >= {'loss', 'head_index', 'head.weight', 'backbone.1.running_mean'}
    resumed.load_state_dict(chosen.state_dict())
    assert same(resumed.state_dict(), chosen.state_dict())
    assert not resumed.keep_if_better(net(2), torch.tensor(1.6)) and resumed.keep_if_better(net(2), torch.tensor(1.4))
