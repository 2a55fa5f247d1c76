"""Groups by rate and decay, bfloat16 on any device, clipping that keeps the norm on the device."""
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import MessageHub
from mmengine.optim import build_optim_wrapper
from torch import nn

from mmcluster.engine.optim import AutocastOptimWrapper, GroupedOptimWrapperConstructor, OptimWrapper
from mmcluster.registry import MODELS

from .toy import toy_runner

LR, WD = 0.2, 0.3


class Net(nn.Module):
    """Every kind of parameter, names that are prefixes of each other, a frozen part, a shared and a root tensor."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.GroupNorm(2, 4), nn.LayerNorm(4))
        self.backbone_extra = nn.Linear(4, 4)
        self.neck = nn.Sequential(nn.Linear(4, 4), nn.SyncBatchNorm(4), nn.Linear(4, 4, bias=False))
        self.neck.predictor = nn.Linear(4, 4)
        self.predictor = nn.MultiheadAttention(4, 1)
        self.frozen = nn.Linear(4, 4).requires_grad_(False)
        self.tied = nn.Linear(4, 4)
        self.tied.weight = self.backbone_extra.weight
        self.token = nn.Parameter(torch.zeros(1, 1, 4))


def build(no_decay='none', optimizer=None, **lr_mult):
    net = Net()
    cfg = ConfigDict(type='OptimWrapper', constructor='GroupedOptimWrapperConstructor',
                     optimizer=optimizer or dict(type='SGD', lr=LR, weight_decay=WD),
                     paramwise_cfg=dict(lr_mult=lr_mult, no_decay=no_decay))
    wrapper = build_optim_wrapper(net, cfg)
    names = {parameter: name for name, parameter in net.named_parameters()}
    rates = {names[parameter]: (group['lr'], group['weight_decay']) for group in wrapper.optimizer.param_groups
             for parameter in group['params']}
    return rates, wrapper, net


@pytest.mark.parametrize('no_decay', ['none', 'norm', 'norm_bias', 'ndim'])
@pytest.mark.parametrize('lr_mult', [{}, dict(backbone=0.01), dict(backbone=0.01, neck=100., predictor=10.)])
def test_no_norm_and_no_bias_decays_in_any_group(no_decay, lr_mult):
    rates, wrapper, net = build(no_decay, **lr_mult)
    norms = [name for name, module in net.named_modules() if 'Norm' in type(module).__name__]
    assert len(norms) == 4
    for name, (_, decay) in rates.items():
        owner = name.rpartition('.')[0]
        spared = dict(none=False, norm=owner in norms, norm_bias=owner in norms or name.endswith('bias'),
                      ndim=net.get_parameter(name).dim() < 2)[no_decay]
        assert decay == (0. if spared else WD), name
    slow = [name for name in rates if name.startswith('backbone.')]
    assert len(slow) == 8
    if no_decay == 'norm':
        assert sum(rates[name][1] > 0 for name in slow) == 2  # the convolution's weight and bias
    elif no_decay != 'none':
        assert sum(rates[name][1] > 0 for name in slow) == 1  # the convolution's weight alone
        assert rates['predictor.in_proj_bias'][1] == 0 and rates['token'][1] == WD


def test_every_trained_tensor_is_in_one_group_and_pairs_are_distinct():
    rates, wrapper, net = build('norm_bias', backbone=0.01, neck=100.)
    groups = wrapper.optimizer.param_groups
    assert set(rates) == {name for name, parameter in net.named_parameters() if parameter.requires_grad}
    assert sum(len(group['params']) for group in groups) == len(rates)
    assert len({(group['lr'], group['weight_decay']) for group in groups}) == len(groups) == 6


def test_prefixes_are_whole_components_and_the_longest_wins():
    rates, _, _ = build(**{'neck': 100., 'neck.predictor': 5., 'backbone': 0.5, 'predictor': 10.})
    wanted = {'neck.0.weight': 100., 'neck.predictor.weight': 5., 'predictor.out_proj.weight': 10.,
              'backbone.0.weight': 0.5, 'backbone_extra.weight': 1., 'token': 1.}
    assert {name: rates[name][0] for name in wanted} == {name: LR * mult for name, mult in wanted.items()}
    assert build(**{'backbone.1.bias': 3.})[0]['backbone.1.bias'][0] == LR * 3.
    assert build(token=3.)[0]['token'][0] == LR * 3.


@pytest.mark.parametrize('name', ['predict', 'backbone.9', 'frozen', 'head'])
def test_a_name_that_matches_nothing_raises(name):
    with pytest.raises(ValueError, match=rf"lr_mult names \['{name}'\](.|\n)*backbone_extra.*predictor"):
        build(**{name: 2.})


@pytest.mark.parametrize('paramwise', [dict(custom_keys={}), dict(no_decay='bn'), dict(layer_decay=1.1),
                                       dict(layer_decay=0.)])
def test_unknown_options_raise(paramwise):
    with pytest.raises(ValueError, match='no_decay|layer_decay must be in'):
        GroupedOptimWrapperConstructor(dict(optimizer=dict(type='SGD', lr=1.)), paramwise)


def test_deeper_layers_of_a_transformer_learn_more_slowly():
    """Head and last norm at the full rate, block i of 3 at d ^ (3 - i), what comes before the blocks at d ^ 4."""
    vit = dict(type='mmpretrain.VisionTransformer', img_size=8, patch_size=4, arch=dict(
        embed_dims=8, num_layers=3, num_heads=2, feedforward_channels=16))
    model = nn.ModuleDict(dict(backbone=MODELS.build(vit), head=nn.Linear(8, 2), teacher=MODELS.build(vit)))
    model.teacher.requires_grad_(False)
    paramwise = dict(layer_decay=0.5, lr_mult={'head': 3.})
    groups = GroupedOptimWrapperConstructor(dict(optimizer=dict(type='AdamW')), paramwise).groups(model, 1., 0.)
    names = {param: name for name, param in model.named_parameters()}
    rates = {names[param]: group['lr'] for group in groups for param in group['params']}
    assert len(groups) == 6 and len(rates) == len(list(model.backbone.parameters())) + 2
    for name, rate in rates.items():
        where = name.split('.')
        layer = 4 if name.startswith('head') or where[1] == 'ln1' else int(where[2]) + 1 if where[1] == 'layers' else 0
        assert rate == (3. if where[0] == 'head' else 0.5 ** (4 - layer)), name
    with pytest.raises(ValueError, match='layer_decay needs a backbone that numbers its layers'):
        GroupedOptimWrapperConstructor(dict(optimizer=dict(type='AdamW')), dict(layer_decay=0.5)).groups(Net(), 1., 0.)


def test_parts_with_a_constant_rate_have_a_group_of_their_own():
    net = Net()
    constructor = GroupedOptimWrapperConstructor(dict(optimizer=dict(type='SGD')), dict(
        constant_lr=['predictor', 'neck.predictor'], lr_mult={'neck': 10.}))
    groups = constructor.groups(net, LR, WD)
    constant = {param for group in groups if group.get('constant_lr') for param in group['params']}
    assert constant == {*net.predictor.parameters(), *net.neck.predictor.parameters()}
    assert sorted(group['lr'] for group in groups) == [LR, LR, 10 * LR, 10 * LR]
    with pytest.raises(ValueError, match=r"constant_lr names \['gone'\], but no trained parameter lies there"):
        GroupedOptimWrapperConstructor(dict(optimizer=dict(type='SGD')), dict(constant_lr=['gone'])).groups(net, LR, WD)


def test_an_optimiser_without_rate_or_decay():
    with pytest.raises(ValueError, match='SGD.*needs an lr'):
        build(optimizer=dict(type='SGD'))
    rates, _, _ = build(optimizer=dict(type='Adam', lr=LR))
    assert {decay for _, decay in rates.values()} == {0.}
    rates, _, _ = build(optimizer=dict(type='AdamW', lr=LR))
    assert {decay for _, decay in rates.values()} == {0.01}, 'as without groups'


def test_decay_moves_what_it_should_and_nothing_else():
    _, wrapper, net = build('norm_bias', backbone=0.5)
    before = {name: parameter.clone() for name, parameter in net.named_parameters()}
    for parameter in net.parameters():
        parameter.grad = torch.zeros_like(parameter)
    wrapper.step()
    for name, parameter in net.named_parameters():
        shrink = {'backbone.0.weight': 1 - 0.5 * LR * WD, 'neck.0.weight': 1 - LR * WD, 'backbone.1.weight': 1.,
                  'neck.1.weight': 1., 'frozen.weight': 1.}.get(name)
        if shrink:
            torch.testing.assert_close(parameter.detach(), before[name] * shrink)


@pytest.mark.parametrize('dtype, expected', [('bfloat16', torch.bfloat16), (None, torch.float32)])
def test_autocast_on_this_device(dtype, expected):
    net = nn.Linear(4, 2)
    wrapper = AutocastOptimWrapper(optimizer=torch.optim.SGD(net.parameters(), lr=0.1), dtype=dtype)
    with wrapper.optim_context(net):
        out = net(torch.ones(3, 4))
        loss = out.float().square().mean()
    assert out.dtype == expected and wrapper.cast_dtype == (expected if dtype else None)
    before = net.weight.clone()
    wrapper.update_params(loss)
    assert net.weight.dtype == torch.float32 and not torch.equal(net.weight, before)
    assert net(torch.ones(3, 4)).dtype == torch.float32


def test_no_cast_of_a_weight_outlives_its_pass():
    """A pass under no_grad must not hand its casts, which have no gradient, to the next one."""
    net = nn.Linear(3, 2)
    wrapper = AutocastOptimWrapper(optimizer=torch.optim.SGD(net.parameters(), lr=0.1))
    with wrapper.optim_context(net):
        assert not torch.is_autocast_cache_enabled()
        with torch.no_grad():
            net(torch.ones(1, 3))
        net(torch.ones(1, 3)).sum().backward()
    assert torch.is_autocast_cache_enabled() and net.weight.grad is not None


def test_float16_is_refused_with_a_way_out():
    with pytest.raises(ValueError, match="'float16'.*AmpOptimWrapper"):
        AutocastOptimWrapper(optimizer=torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.1), dtype='float16')


def test_autocast_trains_in_a_runner(tmp_path):
    runner = toy_runner(tmp_path, optim_wrapper=dict(type='AutocastOptimWrapper', accumulative_counts=2,
                                                     optimizer=dict(type='SGD', lr=0.1)))
    runner.train()
    losses = runner.message_hub.get_scalar('train/loss').data[0]
    assert len(losses) == 16 and losses[-4:].mean() < 0.5 * losses[:4].mean()


def test_clipping_keeps_the_norm_on_the_device(monkeypatch):
    net = nn.Linear(4, 2)
    wrapper = OptimWrapper(optimizer=torch.optim.SGD(net.parameters(), lr=0.1), clip_grad=dict(max_norm=1.))
    hub = MessageHub.get_current_instance()
    monkeypatch.setattr(hub, 'update_scalar', None)  # mmengine's wrapper would call it
    for value in (3., 0.01):
        net.weight.grad, net.bias.grad = torch.full((2, 4), value), torch.full((2,), value)
        wrapper.step()
        norm = value * 10 ** 0.5
        torch.testing.assert_close(wrapper.scalars['grad_norm'], torch.tensor(norm))
        torch.testing.assert_close(net.weight.grad, torch.full((2, 4), value * min(1., 1 / norm)), rtol=1e-4, atol=0)
    by_value = OptimWrapper(optimizer=torch.optim.SGD(net.parameters(), lr=0.1),
                            clip_grad=dict(type='value', clip_value=0.5))
    net.weight.grad.fill_(2.)
    by_value.step()
    assert by_value.scalars == {} and net.weight.grad.max() == 0.5
