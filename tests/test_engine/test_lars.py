"""LARS against its equation, mmpretrain's version and plain SGD."""
import pytest
import torch
from mmpretrain.engine.optimizers import LARS as Theirs

from mmcluster.engine.lars import LARS
from mmcluster.registry import OPTIMIZERS

SETTINGS = dict(lr=0.3, momentum=0.9, weight_decay=0.01, eta=0.002)


def tensors(*shapes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator).requires_grad_() for shape in shapes]


def trained(optimizer, params, steps=4):
    """The parameters after steps of which the rate halves."""
    for step in range(steps):
        for i, param in enumerate(params):
            param.grad = torch.randn(param.shape, generator=torch.Generator().manual_seed(10 * step + i))
        optimizer.step()
        optimizer.param_groups[0]['lr'] /= 2
    return [param.detach() for param in params]


def test_weights_move_as_in_mmpretrain():
    shapes = (3, 4), (2, 3, 3, 3), (5, 1)
    ours, theirs = tensors(*shapes), tensors(*shapes)
    torch.testing.assert_close(trained(LARS(ours, **SETTINGS), ours), trained(Theirs(theirs, **SETTINGS), theirs))


def test_biases_and_norms_are_neither_scaled_nor_decayed():
    ours, plain = tensors((4,), (), (7,)), tensors((4,), (), (7,))
    ours[2].data.zero_(), plain[2].data.zero_()
    rates = dict(lr=0.3, momentum=0.)
    torch.testing.assert_close(trained(LARS(ours, weight_decay=0.5, **rates), ours),
                               trained(torch.optim.SGD(plain, **rates), plain))


@pytest.mark.parametrize('zero', ['weight', 'gradient'])
def test_what_is_all_zero_is_not_scaled(zero):
    weight, = tensors((3, 2))
    weight.grad = torch.ones_like(weight)
    (weight.data if zero == 'weight' else weight.grad).zero_()
    expected = weight.detach() - 0.1 * (weight.grad + 0.5 * weight.detach())
    LARS([weight], lr=0.1, weight_decay=0.5).step()
    torch.testing.assert_close(weight.detach(), expected)


def test_its_state_resumes_and_it_is_the_one_that_configs_name():
    first, second = tensors((3, 2), (4,)), tensors((3, 2), (4,))
    whole = OPTIMIZERS.build(dict(type='LARS', params=first, **SETTINGS))
    assert type(whole) is LARS
    trained(whole, first, 2)
    part = LARS(second, **SETTINGS)
    trained(part, second, 2)
    again = LARS(second, **SETTINGS)
    again.load_state_dict(part.state_dict())
    assert all(torch.equal(*pair) for pair in zip(trained(whole, first, 2), trained(again, second, 2)))
    with pytest.raises(ValueError, match='LARS'):
        LARS(first, lr=-1.)


def test_a_closure_and_missing_gradients():
    weight, unused = tensors((3, 2), (2, 2))
    optimizer = LARS([weight, unused], lr=0.1)
    before = unused.detach().clone()

    def loss():
        value = weight.square().sum()
        value.backward()
        return value

    assert optimizer.step(loss) > 0 and torch.equal(unused.detach(), before)
