"""Momentum copies."""
import pytest
import torch
from torch import nn

from mmcluster.models.teacher import MomentumTeacher


class Net(nn.Module):
    """Two parts, one of which has every kind of state."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
        self.head = nn.Linear(4, 2)
        self.head.register_buffer('flag', torch.tensor(False))


def teacher_of(net, decay=0.9, **kwargs):
    return MomentumTeacher(dict(backbone=net.backbone, neck=None, head=net.head), decay, **kwargs)


def move(net, seed=0):
    """Change every parameter and buffer of the net."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter))
    net.train()
    net.backbone(torch.randn(8, 3) + 2)
    net.head.flag.fill_(True)


def snapshot(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


@pytest.mark.parametrize('decay', [0.9, 0., 1.])
def test_decay_is_the_weight_of_the_old_value(decay):
    net = Net()
    teacher = teacher_of(net, decay)
    before = snapshot(teacher)
    for step in range(3):
        move(net, step)
        teacher.update(net)
        for name, parameter in net.named_parameters():
            before[name] = decay * before[name] + (1 - decay) * parameter.detach()
            torch.testing.assert_close(teacher.get_parameter(name), before[name], rtol=1e-5, atol=1e-6)


def test_own_buffers_stay():
    net = Net()
    teacher = teacher_of(net)
    before = snapshot(teacher)
    move(net)
    teacher.update(net)
    for name, buffer in teacher.named_buffers():
        assert torch.equal(buffer, before[name]), name
        assert not torch.equal(buffer, net.get_buffer(name)), f'{name} did not move in the net'


def test_live_buffers_follow_at_every_update():
    net = Net()
    teacher = teacher_of(net, buffers='live')
    for step in range(2):
        move(net, step)
        teacher.update(net)
        for name, buffer in teacher.named_buffers():
            assert torch.equal(buffer, net.get_buffer(name)) and buffer.dtype == net.get_buffer(name).dtype, name
        assert teacher.backbone[1].num_batches_tracked == step + 1 and teacher.head.flag
    assert not torch.equal(teacher.head.weight, net.head.weight)


@pytest.mark.parametrize('buffers', ['own', 'live'])
def test_copy_from_takes_everything(buffers):
    net = Net()
    teacher = teacher_of(net, buffers=buffers)
    move(net)
    teacher.copy_from(net)
    for name, value in net.state_dict().items():
        own = teacher.state_dict()[name]
        assert torch.equal(own, value) and own.data_ptr() != value.data_ptr(), name


def test_names_and_absent_parts():
    net = Net()
    teacher = teacher_of(net)
    assert list(teacher.state_dict()) == list(net.state_dict())
    assert teacher.names == ['backbone', 'head'] and not hasattr(teacher, 'neck')


def test_no_gradient():
    net = Net()
    teacher = teacher_of(net)
    assert not any(p.requires_grad for p in teacher.parameters())
    assert all(p.requires_grad for p in net.parameters()), 'the originals still train'
    teacher.update(net)
    teacher.head(teacher.backbone(torch.randn(4, 3))).sum()
    assert not any(p.requires_grad or p.grad is not None for p in teacher.parameters())


def test_update_leaves_the_source_alone():
    net = Net()
    teacher = teacher_of(net, buffers='live')
    move(net)
    before = snapshot(net)
    teacher.update(net)
    teacher.copy_from(net)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_a_module_without_buffers_may_be_live():
    net = nn.Module()
    net.head = nn.Linear(2, 2)
    teacher = MomentumTeacher(dict(head=net.head), 0.5, buffers='live')
    net.head.weight.data.add_(2)
    teacher.update(net)
    torch.testing.assert_close(teacher.head.weight, net.head.weight - 1)


def test_unknown_buffers():
    with pytest.raises(ValueError, match="'own' or 'live', got 'none'"):
        teacher_of(Net(), buffers='none')
