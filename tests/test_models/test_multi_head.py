"""Several heads on one network, and the method that SPICE and SCAN have in common."""
import pytest
import torch
from small_models import B, D, K, N, disturb, gradients, views
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmcluster.engine.launch import without_pretrained
from mmcluster.models import SCAN, SPICE, MultiHeadClusterer
from mmcluster.models.clusterers.base import BaseClusterer
from mmcluster.models.heads import MLPClusterHead, MultiHead
from mmcluster.registry import MODELS

pytestmark = pytest.mark.usefixtures('engine')
F, H = 6, 3
NECK = dict(type='MLPProjector', in_channels=F, hid_channels=8, out_channels=D)
PLAIN = dict(type='PlainBase', backbone=dict(type='FlatNet'), bank=dict(num_samples=None, fields=dict(label=dict())))
NECKED = dict(PLAIN, neck=NECK)


@MODELS.register_module(force=True)
class PlainBase(BaseClusterer):
    """A trained base."""


def heads(width=D, count=H):
    return dict(type='MultiHead', num_heads=count, head=dict(type='MLPClusterHead', in_channels=width, num_clusters=K))


def method(seed=0, base=NECKED, initialise=True, **kwargs):
    torch.manual_seed(seed)
    given = dict(head=heads(), base=base, **kwargs)
    model = MultiHeadClusterer(**{name: value for name, value in given.items() if value is not None})
    if initialise:
        model.init_weights()
    return model


def snapshot(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def changed(before, module):
    """Names of the parts in which a state differs."""
    return {name.split('.')[0] for name, value in module.state_dict().items() if not torch.equal(value, before[name])}


@pytest.fixture
def base_file(tmp_path):
    """The checkpoint of a base of a data set of another size, whose weights and statistics moved."""
    torch.manual_seed(11)
    base = MODELS.build(dict(NECKED, bank=dict(num_samples=N + 5, fields=dict(label=dict()))))
    base.init_weights()
    disturb(base)
    base.train()
    base.embed(views()[0])
    path = tmp_path / 'base.pth'
    torch.save(dict(state_dict=base.state_dict()), path)
    return base.eval(), str(path)


# ---- MultiHead

@pytest.mark.parametrize('count', [1, 2, 10])
def test_every_head_sees_the_same_rows(count):
    torch.manual_seed(0)
    head, rows = MultiHead(dict(type='MLPClusterHead', in_channels=D, num_clusters=K), count), torch.randn(B, D)
    logits = head(rows)
    assert logits.shape == (count, B, K) and head.num_clusters == K and head.num_heads == len(head.heads) == count
    for part, expected in zip(head.heads, logits):
        torch.testing.assert_close(part(rows), expected)


def test_rows_of_their_own():
    torch.manual_seed(0)
    head, rows = MultiHead(heads()['head'], H), torch.randn(H, B, D)
    logits = head(rows)
    assert logits.shape == (H, B, K)
    for i, part in enumerate(head.heads):
        torch.testing.assert_close(logits[i], part(rows[i]))
    torch.testing.assert_close(head(rows[:1].expand(H, B, D)), head(rows[0]))


def test_heads_are_independent():
    torch.manual_seed(0)
    head, rows = MultiHead(heads()['head'], H), torch.randn(B, D)
    first, second = head.heads[0], head.heads[1]
    assert isinstance(first, MLPClusterHead) and not torch.equal(first.fc1.weight, second.fc1.weight)
    before = head(rows)
    disturb(second)
    assert [torch.equal(a, b) for a, b in zip(before, head(rows))] == [True, False, True]
    head(rows)[1].sum().backward()
    assert {name.split('.')[1] for name, value in gradients(head).items() if value.any()} == {'1'}


def test_initialisation_differs_between_heads_that_draw_their_weights():
    head = MultiHead(dict(type='LinearClusterHead', in_channels=D, num_clusters=K), H)
    head.init_weights()
    assert len({part.fc.weight.sum().item() for part in head.heads}) == H


def test_rows_for_another_number_of_heads_are_refused():
    with pytest.raises(ValueError, match=f'rows for {H - 1} heads, there are {H}'):
        MultiHead(heads()['head'], H)(torch.randn(H - 1, B, D))


def test_no_head_is_refused():
    with pytest.raises(ValueError, match='num_heads must be at least 1, got 0'):
        MultiHead(heads()['head'], 0)


# ---- the base

def test_a_base_or_a_backbone_is_needed():
    with pytest.raises(ValueError, match='needs a base .* or a backbone'):
        MultiHeadClusterer(head=heads())


@pytest.mark.parametrize('method_type', [SPICE, SCAN])
def test_a_single_head_is_refused(method_type):
    with pytest.raises(ValueError, match=rf"{method_type.__name__} trains several heads and got a MLPClusterHead; "
                                         r"give head=dict\(type='MultiHead'"):
        method_type(head=heads()['head'], backbone=dict(type='FlatNet'), bank=dict(num_samples=N))


def test_backbone_and_neck_come_from_the_base(base_file):
    base, path = base_file
    model = method(base=dict(NECKED, init_cfg=dict(type='Pretrained', checkpoint=path))).eval()
    torch.testing.assert_close(model.embed(views()[0]), base.embed(views()[0]), rtol=0, atol=0)
    torch.testing.assert_close(model.features(views()[0]), base.embed(views()[0]), rtol=0, atol=0)
    assert set(model.below()) == {'backbone', 'neck'} and model.num_clusters == K
    assert not any(name.startswith('base') for name in model.state_dict())


def test_weights_are_not_read_before_they_are_initialised():
    base = dict(NECKED, init_cfg=dict(type='Pretrained', checkpoint='nowhere.pth'))
    model = method(base=base, initialise=False)
    with pytest.raises(FileNotFoundError, match='nowhere.pth'):
        model.init_weights()


def test_a_base_that_does_not_fit_is_refused(base_file):
    wide = dict(NECKED, neck=dict(NECK, hid_channels=9), init_cfg=dict(type='Pretrained', checkpoint=base_file[1]))
    with pytest.raises(ValueError, match='does not fit PlainBase'):
        method(base=wide)


def test_given_parts_take_the_place_of_the_base(base_file):
    base, path = base_file
    pretrained = dict(NECKED, init_cfg=dict(type='Pretrained', checkpoint=path))
    model = method(base=pretrained, neck=NECK)
    assert model.from_base == ['backbone']
    assert torch.equal(model.backbone.fc.weight, base.backbone.fc.weight)
    assert not torch.equal(model.neck.fc1.weight, base.neck.fc1.weight)
    model = method(base=pretrained, backbone=dict(type='FlatNet'))
    assert model.from_base == ['neck'] and torch.equal(model.neck.fc1.weight, base.neck.fc1.weight)
    assert not torch.equal(model.backbone.fc.weight, base.backbone.fc.weight)


@pytest.mark.parametrize('kwargs, width, parts', [
    (dict(base=PLAIN), F, {'backbone'}), (dict(base=NECKED), D, {'backbone', 'neck'}),
    (dict(base=None, backbone=dict(type='FlatNet')), F, {'backbone'}),
    (dict(base=None, backbone=dict(type='FlatNet'), neck=NECK), D, {'backbone', 'neck'}),
    (dict(base=PLAIN, neck=NECK), D, {'backbone', 'neck'})])
def test_with_and_without_a_neck(kwargs, width, parts):
    torch.manual_seed(0)
    model = MultiHeadClusterer(**{k: v for k, v in kwargs.items() if v is not None}, head=heads(width))
    model.init_weights()
    model.eval()
    x = views()[0]
    assert set(model.below()) == parts and model.embed(x).shape == (B, width)
    assert model.head_logits(x).shape == (B, H, K) and model.logits(x).shape == (B, K)


def test_a_whole_checkpoint_needs_no_file_of_the_base(tmp_path):
    saved = method(seed=1)
    disturb(saved)
    saved.keep_if_better(torch.tensor([3., 2., 4.]))
    torch.save(dict(state_dict=saved.state_dict()), tmp_path / 'whole.pth')
    gone = dict(NECKED, init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'gone.pth')))
    whole = dict(type='Pretrained', checkpoint=str(tmp_path / 'whole.pth'))
    loaded = method(seed=2, base=gone, init_cfg=whole)
    before = snapshot(saved)
    different = [name for name, value in loaded.state_dict().items() if not torch.equal(value, before[name])]
    assert different == ['best_so_far.loss'] and loaded.best_so_far.head_index == 1


def test_a_run_from_a_whole_checkpoint_replaces_the_head_of_the_old_run(tmp_path):
    """Its loss was measured on other labels of other images; a resumed run keeps it."""
    saved, x = method(seed=1), views()[0]
    disturb(saved)
    saved.keep_if_better(torch.tensor([3., 1., 4.]))
    torch.save(dict(state_dict=saved.state_dict()), tmp_path / 'whole.pth')
    run = method(seed=2, init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'whole.pth')))
    torch.testing.assert_close(run.eval().logits(x), saved.eval().logits(x))
    assert run.best_so_far.loss == float('inf')
    assert run.keep_if_better(torch.tensor([3., 4., 2.])) and run.best_so_far.loss == 2
    torch.testing.assert_close(run.logits(x), run.head_logits(x)[:, 2])
    run.load_state_dict(saved.state_dict())
    assert run.best_so_far.loss == 1 and not run.keep_if_better(torch.tensor([3., 4., 2.]))


def test_resume_needs_no_file_of_the_base(base_file):
    base = dict(NECKED, init_cfg=dict(type='Pretrained', checkpoint=base_file[1]))
    saved = method(base=base)
    cfg = dict(head=heads(), base=dict(NECKED, init_cfg=dict(type='Pretrained', checkpoint='gone.pth')))
    resumed = MultiHeadClusterer(**without_pretrained(cfg))
    resumed.init_weights()
    resumed.load_state_dict(saved.state_dict())
    torch.testing.assert_close(resumed.eval().embed(views()[0]), base_file[0].embed(views()[0]))


# ---- freezing

@pytest.mark.parametrize('freeze', [True, False])
@pytest.mark.parametrize('norm_eval', [True, False])
def test_what_trains_and_whose_statistics_move(freeze, norm_eval):
    model = method(freeze=freeze, norm_eval=norm_eval)
    model.eval().train()
    fixed = freeze and norm_eval
    below = [module for part in model.below().values() for module in part.modules() if isinstance(module, _BatchNorm)]
    assert len(below) == 2 and all(module.training is not fixed for module in below)
    assert model.training and model.head.training and not any(module.training for module in model.best_so_far.modules())
    before = snapshot(model)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.1)
    model.head_logits(views()[0]).square().sum().backward()
    optimizer.step()
    below_changed = set() if fixed else {'backbone', 'neck'}
    assert changed(before, model) == {'head'} | below_changed
    assert all(p.requires_grad is not freeze for part in model.below().values() for p in part.parameters())
    if freeze and not norm_eval:
        moved = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
        assert all('running' in name or 'num_batches' in name for name in moved if not name.startswith('head'))


def test_frozen_features_have_no_gradient():
    x = views()[0]
    assert not method(freeze=True).features(x).requires_grad and method().features(x).requires_grad
    with torch.no_grad():
        assert not method().features(x).requires_grad


# ---- the choice

@pytest.mark.parametrize('freeze, norm_eval, names', [
    (True, True, ['head']), (True, False, ['backbone', 'neck', 'head']), (False, True, ['backbone', 'neck', 'head'])])
def test_what_is_kept(freeze, norm_eval, names):
    model, x = method(freeze=freeze, norm_eval=norm_eval), views()[0]
    model.train().features(x)
    with torch.no_grad():
        disturb(model.head)
        if not freeze:
            disturb(nn.ModuleList(model.below().values()))
    assert model.best_so_far.names == names
    assert model.keep_if_better(torch.tensor([1.9, 1.7, 1.8])) and model.best_so_far.head_index == 1
    model.eval()
    torch.testing.assert_close(model.logits(x), model.head_logits(x)[:, 1])
    kept = model.outputs(x)
    disturb(model.head, 1)
    model.train().features(views(1)[0] + 2)
    if not freeze:
        disturb(nn.ModuleList(model.below().values()), 2)
    model.eval()
    for now, then in zip(model.outputs(x), kept):
        torch.testing.assert_close(now, then, rtol=0, atol=0)
    assert not model.keep_if_better(torch.tensor([1.7, 1.9, 2.])) and torch.equal(model.logits(x), kept[1])
    assert model.keep_if_better(torch.tensor([1.8, 1.9, 1.6])) and not torch.equal(model.logits(x), kept[1])
    torch.testing.assert_close(model.logits(x), model.head_logits(x)[:, 2])


def test_before_any_choice_the_first_head_and_the_base_are_deployed(base_file):
    base, path = base_file
    model, x = method(base=dict(NECKED, init_cfg=dict(type='Pretrained', checkpoint=path))).eval(), views()[0]
    torch.testing.assert_close(model.embed(x), base.embed(x), rtol=0, atol=0)
    torch.testing.assert_close(model.logits(x), model.head_logits(x)[:, 0])
    disturb(model)
    model.best_so_far.copy_from(model._candidates(0))
    backbone, neck, head = model.deployed()
    torch.testing.assert_close(head(neck(backbone(x))), model.logits(x))


@pytest.mark.parametrize('losses, best', [
    ([float('nan'), 2., 3.], 1), ([float('inf'), float('nan'), 3.], 2), ([float('-inf'), 2., 1.], 2),
    ([2., 2., 2.], 0), ([float('nan')] * 3, None)])
def test_losses_that_are_not_finite_never_win(losses, best):
    model = method()
    assert model.keep_if_better(torch.tensor(losses)) == (best is not None)
    assert best is None or (model.best_so_far.head_index == best and model.best_so_far.loss == losses[best])


def test_the_kept_network_does_not_train():
    model = method()
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert not any(name.startswith('chosen') for name in trained) and any(name.startswith('head.') for name in trained)


def test_a_method_without_selection_says_so():
    with pytest.raises(NotImplementedError, match='MultiHeadClusterer has no selection loss'):
        method().selection_losses(torch.zeros(N, H, K))
