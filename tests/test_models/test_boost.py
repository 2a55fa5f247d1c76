"""The booster: parts of its base, its teacher, its streams."""
import pytest
import torch
from mmengine.config import ConfigDict
from small_models import B, D, FlatNet, K, N, assert_same, disturb, gradients, views
from torch import nn

from mmcluster.engine.extract import output_function
from mmcluster.engine.launch import without_pretrained
from mmcluster.models import Boost
from mmcluster.models.clusterers.base import BaseClusterer
from mmcluster.models.pseudo_label_losses import PseudoLabelLoss
from mmcluster.registry import MODELS
from mmcluster.selectors import ProbabilityVariance
from mmcluster.structures import Batch

pytestmark = pytest.mark.usefixtures('engine')
NECK = dict(type='MLPProjector', in_channels=6, hid_channels=8, out_channels=D)
HEAD = dict(type='LinearClusterHead', in_channels=D, num_clusters=K)
PROPOS = dict(type='ProPos', num_clusters=K, queue_size=9, bank=dict(num_samples=None), backbone=dict(type='FlatNet'),
              neck=NECK, predictor=dict(NECK, in_channels=D))


@MODELS.register_module(force=True)
class Headed(BaseClusterer):
    """A base whose head is trained."""


@MODELS.register_module(force=True)
class Silent(nn.Module):
    """A labeller that knows no labels yet, and has a loss of its own."""

    def forward(self, l, u, bank, reference=None):
        return None, dict(loss_labeller=l.feat.square().mean())


@MODELS.register_module(force=True)
class Counting(PseudoLabelLoss):
    """Counts its steps in a buffer and keeps what it was given."""

    def __init__(self, joint=True):
        super().__init__()
        self.joint = joint
        self.register_buffer('steps', torch.zeros((), dtype=torch.long))
        self.given = []

    def loss(self, l, u, bank):
        self.steps += 1
        self.given[:] = [l, u]
        return dict(loss_u=u.logits_strong.square().mean(), loss_l=u.feat_weak.sum() * 0 if l is None else
                    l.logits.square().mean())


def boost(seed=0, **kwargs):
    torch.manual_seed(seed)
    model = Boost(**{**dict(base=PROPOS, head=HEAD, bank=dict(num_samples=N), labeller=dict(type='SelectedLabels'),
                            pseudo_label_loss=dict(type='Counting')), **kwargs})
    model.init_weights()
    return model.train()


def checkpoint(path, seed=3, base=PROPOS, change=lambda state: None):
    """Write a trained base; returns its config and its state."""
    torch.manual_seed(seed)
    model = MODELS.build(dict(base, bank=dict(num_samples=7, fingerprint=5)))
    disturb(model, seed)
    state = model.state_dict()
    change(state)
    torch.save(dict(state_dict=state), path)
    return dict(base, init_cfg=dict(type='Pretrained', checkpoint=str(path))), state


def part(state, prefix):
    return {key[len(prefix) + 1:]: value for key, value in state.items() if key.startswith(prefix + '.')}


def streams(seed=0, labelled=True):
    found = dict(unlabelled=Batch(views(seed), torch.arange(B) + 3))
    if labelled:
        found['labelled'] = Batch(views(seed + 50, 5, 1), torch.arange(5) * 2)
    return found


# ---- parts and checkpoint of the base

def test_the_base_hands_over_its_momentum_network(tmp_path):
    base, state = checkpoint(tmp_path / 'base.pth')
    model = boost(base=base, teacher=dict(decay=0.9))
    for name in ('backbone', 'neck'):
        assert_same(getattr(model, name).state_dict(), part(state, f'teacher.{name}'), atol=0)
    for name in ('backbone', 'neck', 'head'):
        assert_same(getattr(model.teacher, name).state_dict(), getattr(model, name).state_dict(), atol=0)
    assert {name.split('.')[0] for name in model.state_dict()} == {
        'backbone', 'neck', 'head', 'bank', 'teacher', 'pseudo_label_loss'}
    assert all(p.requires_grad for name, p in model.named_parameters() if not name.startswith('teacher.'))
    assert model.bank.num_samples == N and not model.bank.is_set('target'), 'the bank of the base is dropped'


def test_the_order_of_building_and_loading_does_not_tie_weights(tmp_path):
    base, _ = checkpoint(tmp_path / 'base.pth')
    one, two = boost(base=base), boost(base=base, seed=1)
    disturb(one)
    assert not torch.equal(one.neck.fc1.weight, two.neck.fc1.weight)
    assert not torch.equal(one.head.fc.weight, two.head.fc.weight)
    assert base['init_cfg']['checkpoint'] == str(tmp_path / 'base.pth'), 'the config is left alone'


@pytest.mark.parametrize('change, problem', [
    (lambda state: state.pop('teacher.neck.fc1.weight'), '1 missing: teacher.neck.fc1.weight'),
    (lambda state: state.pop('predictor.fc1.weight'), '1 missing: predictor.fc1.weight'),
    (lambda state: state.update(extra=torch.ones(1)), '1 unexpected: extra'),
    (lambda state: state.update({'neck.fc2.bias': torch.ones(2)}), r'1 misshapen: neck.fc2.bias \(2,\) instead of'),
])
def test_the_checkpoint_must_fit(tmp_path, change, problem):
    base, _ = checkpoint(tmp_path / 'base.pth', change=change)
    with pytest.raises(ValueError, match=rf'base\.pth does not fit ProPos:\n  {problem}'):
        boost(base=base)


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere.pth'):
        boost(base=dict(PROPOS, init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'nowhere.pth'))))


def test_a_base_without_checkpoint_starts_from_its_own_initialisation():
    """Kaiming, zero biases: what init_weights of the parts gives, moved by nothing."""
    model = boost(backbone=dict(type='SmallCNN', in_channels=1, widths=(4, 6)), teacher=dict(decay=0.9))
    assert model.from_base == ['neck']
    assert_same(model.teacher.backbone.state_dict(), model.backbone.state_dict(), atol=0)
    base = dict(PROPOS, backbone=dict(type='SmallCNN', in_channels=1, widths=(4, 6)))
    model = boost(base=base)
    assert model.from_base == ['backbone', 'neck'] and model.head.fc.bias.abs().sum() == 0
    bound = 6 ** -0.5
    assert model.neck.fc1.weight.abs().max() <= bound and model.neck.fc1.weight.std() > 0.3 * bound


def test_given_parts_replace_those_of_the_base(tmp_path):
    base, state = checkpoint(tmp_path / 'base.pth')
    neck = dict(NECK, hid_channels=11)
    model = boost(base=base, neck=neck)
    assert model.neck.fc1.out_features == 11 and model.from_base == ['backbone']
    assert_same(model.backbone.state_dict(), part(state, 'teacher.backbone'), atol=0)
    again = boost(base=base, neck=NECK)                             # of the same shape, but new
    assert not torch.equal(again.neck.fc1.weight, state['teacher.neck.fc1.weight'])


def test_from_scratch():
    model = boost(base=None, backbone=dict(type='FlatNet'), neck=NECK)
    assert model.from_base == [] and model.outputs(views()[0])[1].shape == (B, K)
    with pytest.raises(ValueError, match='needs a base'):
        boost(base=None)
    with pytest.raises(ValueError, match='needs a head'):
        boost(head=None)


def test_a_base_with_a_head(tmp_path):
    cfg = dict(type='Headed', backbone=dict(type='FlatNet'), neck=NECK, head=HEAD, bank=dict(num_samples=None))
    base, state = checkpoint(tmp_path / 'base.pth', base=cfg)
    model = boost(base=base, head=None, teacher=dict(decay=0.9)).eval()
    assert model.from_base == ['backbone', 'head', 'neck']
    assert_same(model.head.state_dict(), part(state, 'head'), atol=0)
    x = views(size=N)[0]
    prob = output_function(model, 'head_probs')(x)
    torch.testing.assert_close(prob, model.head(model.neck(model.backbone(x))).softmax(1))
    target = ProbabilityVariance(sigma=0.4)(None, prob)
    assert 0 < (target >= 0).sum() <= 0.4 * N and torch.equal(target[target >= 0], prob.argmax(1)[target >= 0])
    new = boost(base=base, head=HEAD)
    assert not torch.equal(new.head.fc.weight, state['head.fc.weight']), 'a given head replaces the trained one'


@pytest.mark.parametrize('teacher', [None, dict(decay=0.9)])
def test_a_booster_is_a_base_too(tmp_path, teacher):
    """What it deploys is handed over; the file of its own base is not asked for."""
    cfg = dict(type='Boost', base=dict(PROPOS, init_cfg=dict(type='Pretrained', checkpoint='gone.pth')), head=HEAD,
               bank=dict(num_samples=None), teacher=teacher)
    base, state = checkpoint(tmp_path / 'boost.pth', base=cfg)
    model = boost(base=base, head=None)
    for name in ('backbone', 'neck', 'head'):
        expected = part(state, f'teacher.{name}' if teacher else name)
        assert expected and all(torch.equal(value, expected[key])
                                for key, value in getattr(model, name).state_dict().items())


def test_a_resumed_run_does_not_need_the_file_of_its_base(tmp_path):
    base, _ = checkpoint(tmp_path / 'base.pth')
    cfg = ConfigDict(type='Boost', base=base, head=HEAD, bank=dict(num_samples=N), labeller=dict(type='SelectedLabels'),
                     pseudo_label_loss=dict(type='ClusMatchLoss', num_clusters=K), teacher=dict(decay=0.9))
    model = MODELS.build(cfg)
    model.init_weights()
    disturb(model)
    model.pseudo_label_loss.negative_thresholds.mul_(0.5)
    (tmp_path / 'base.pth').unlink()
    resumed = MODELS.build(without_pretrained(cfg))
    resumed.init_weights()
    resumed.load_state_dict(model.state_dict())
    assert_same(resumed.state_dict(), model.state_dict(), atol=0)
    with pytest.raises(FileNotFoundError):
        MODELS.build(cfg).init_weights()


def test_the_whole_booster_from_a_file(tmp_path):
    model = boost(teacher=dict(decay=0.9))
    disturb(model)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'boost.pth')
    base = dict(PROPOS, init_cfg=dict(type='Pretrained', checkpoint='not needed.pth'))
    other = boost(base=base, teacher=dict(decay=0.9), seed=1,
                  init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'boost.pth')))
    assert_same(other.state_dict(), model.state_dict(), atol=0)


# ---- teacher

def test_the_teacher_answers_in_evaluation_only():
    model = boost(teacher=dict(decay=0.9))
    disturb(model.teacher, 4)
    x = views()[0]
    model.eval()
    embed, logits = model.outputs(x)
    torch.testing.assert_close(embed, model.teacher.neck(model.teacher.backbone(x)))
    torch.testing.assert_close(logits, model.teacher.head(embed))
    own = model.head(model.neck(model.backbone(x)))
    assert not torch.allclose(logits, own, atol=1e-2)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = 0.                                    # so that the mode is all that changes
    model.train()
    expected = model.head(model.neck(model.backbone(x)))
    torch.testing.assert_close(model.outputs(x)[1], expected)


@pytest.mark.parametrize('teacher, reference', [(None, None), (None, 'network'), (dict(decay=0.9), 'network'),
                                                (dict(decay=0.9), None), (dict(decay=0.9), 'teacher')])
def test_anchors_and_labelled_rows_see_one_network_in_one_mode(teacher, reference):
    model = boost(teacher=teacher, reference=reference)
    if teacher:
        disturb(model.teacher, 4)
    anchor, labelled = views()[0], views(7, 5)[0]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = model.embed_reference(anchor, labelled)
    assert not found.anchor.requires_grad and model.training and model.backbone.training
    assert_same(model.state_dict(), before, atol=0)
    if teacher and reference != 'network':
        expected = model.eval().outputs(anchor)[0], model.outputs(labelled)[0]
    else:
        expected = model.neck(model.backbone(torch.cat([anchor, labelled]))).split([B, 5])
    for rows, wanted in zip(found, expected):
        torch.testing.assert_close(rows, wanted)


@pytest.mark.parametrize('teacher, reference', [(None, 'teacher'), (dict(decay=0.9), 'ema')])
def test_a_reference_that_is_not_there(teacher, reference):
    with pytest.raises(ValueError, match=f"'network' or, with teacher=dict.*got '{reference}'"):
        boost(teacher=teacher, reference=reference)


def test_the_teachers_statistics_follow_the_network():
    """A booster forwards its teacher in evaluation only, so the copies have no other way to get statistics."""
    model = boost(teacher=dict(decay=0.9))
    model.loss(**streams())
    model.teacher.update(model)
    assert torch.equal(model.teacher.backbone.bn.running_mean, model.backbone.bn.running_mean)
    assert model.backbone.bn.running_mean.abs().sum() > 0
    own = boost(teacher=dict(decay=0.9, buffers='own'))
    own.loss(**streams())
    own.teacher.update(own)
    assert own.teacher.backbone.bn.running_mean.abs().sum() == 0


# ---- streams

def test_joint_forward_mixes_the_streams_in_batch_norm():
    model = boost()
    data = streams()
    model.loss(**data)
    l, u = model.pseudo_label_loss.given
    images = torch.cat([data['labelled'].views[0], *data['unlabelled'].views])
    feat = model.neck(model.backbone(images))
    logits = model.head(feat)
    torch.testing.assert_close(l.feat, feat[:5])
    torch.testing.assert_close(l.logits, logits[:5])
    torch.testing.assert_close(u.feat_weak, feat[5:5 + B])
    torch.testing.assert_close(u.feat_strong, feat[5 + B:])
    torch.testing.assert_close(u.logits_weak, logits[5:5 + B])
    torch.testing.assert_close(u.logits_strong, logits[5 + B:])
    assert torch.equal(l.index, data['labelled'].index) and torch.equal(u.index, data['unlabelled'].index)
    assert u.logits_strong.requires_grad and l.logits.requires_grad and not u.logits_weak.requires_grad
    assert model.backbone.bn.num_batches_tracked == 2               # the booster's forward and the one above


def test_separate_forwards():
    model = boost(pseudo_label_loss=dict(type='Counting', joint=False))
    data = streams()
    model.loss(**data)
    l, u = model.pseudo_label_loss.given
    assert model.backbone.bn.num_batches_tracked == 3
    for found, x in ((l.logits, data['labelled'].views[0]), (u.logits_weak, data['unlabelled'].views[0]),
                     (u.logits_strong, data['unlabelled'].views[1])):
        torch.testing.assert_close(found, model.head(model.neck(model.backbone(x))))
    assert not u.logits_weak.requires_grad


@pytest.mark.parametrize('joint', [True, False])
def test_without_a_labelled_stream(joint):
    model = boost(labeller=None, pseudo_label_loss=dict(type='Counting', joint=joint))
    losses = model.loss(**streams(labelled=False))
    l, u = model.pseudo_label_loss.given
    assert l is None and len(u.logits_strong) == B and losses['loss_u'].requires_grad


def test_a_labelled_stream_needs_a_labeller():
    with pytest.raises(ValueError, match='has no labeller; give labeller='):
        boost(labeller=None).loss(**streams())


def test_what_a_booster_lacks():
    with pytest.raises(ValueError, match='SelectedLabels keeps target of every image: give Boost bank='):
        boost(bank=None)
    with pytest.raises(ValueError, match='needs a loss to train: give pseudo_label_loss='):
        boost(pseudo_label_loss=None).loss(**streams())
    with pytest.raises(ValueError, match="mode='tensor' takes inputs"):
        boost()(data_samples=streams())


@pytest.mark.parametrize('kind', ['Counting', 'MixMatchLoss'])
def test_one_view_is_not_taken_with_the_labelled_rows_for_two(kind):
    given = streams()
    given['unlabelled'] = given['unlabelled']._replace(views=given['unlabelled'].views[:1])
    with pytest.raises(ValueError, match='two views of the unlabelled stream, weak and strong, and got one'):
        boost(pseudo_label_loss=dict(type=kind)).loss(**given)


def test_selected_labels_are_the_targets():
    model = boost()
    target = torch.arange(N) % 5 - 1
    model.bank.fill(target=target)
    model.loss(**streams())
    assert torch.equal(model.pseudo_label_loss.given[0].target, target[streams()['labelled'].index])


@pytest.mark.parametrize('loss', [dict(type='Counting'), dict(type='ClusMatchLoss', num_clusters=K)])
def test_before_the_labeller_speaks_only_its_own_loss_counts(loss):
    model = boost(labeller=dict(type='Silent'), pseudo_label_loss=loss)
    before = {name: value.clone() for name, value in model.pseudo_label_loss.state_dict().items()}
    losses = model.loss(**streams())
    assert set(losses) == {'loss_labeller'}
    assert before and all(torch.equal(model.pseudo_label_loss.state_dict()[name], before[name]) for name in before)
    losses['loss_labeller'].backward()
    assert 'neck.fc1.weight' in gradients(model)


def test_the_labeller_sees_reference_features_of_the_anchors():
    seen = []
    model = boost(teacher=dict(decay=0.9))
    disturb(model.teacher, 4)
    model.labeller.register_forward_pre_hook(lambda _, inputs: seen.append(inputs))
    anchor = Batch(views(9, 6, 1), torch.arange(6))
    model.loss(**streams(), reference=anchor)
    for rows, images in zip(seen[0][3], (anchor.views[0], streams()['labelled'].views[0])):
        torch.testing.assert_close(rows, model.teacher.neck(model.teacher.backbone(images)))
    assert seen[0][2] is model.bank and seen[0][0].target is None and not model.teacher.training
    model.loss(**streams())
    assert seen[1][3] is None


@pytest.mark.parametrize('loss', ['ClusMatchLoss', 'FreeMatchLoss', 'MutexMatchLoss', 'FixMatchLoss'])
def test_labeller_and_loss_take_clusters_and_width_from_the_head(loss):
    labeller = dict(type='ASDLabels', num_labelled=8, num_unlabelled=8, window=2)
    model = boost(pseudo_label_loss=dict(type=loss), labeller=labeller)
    assert model.pseudo_label_loss.num_clusters == model.labeller.num_clusters == K
    assert model.labeller.head.in_features == D
    told = boost(pseudo_label_loss=dict(type=loss, num_clusters=K, **dict(in_channels=D) if 'Mutex' in loss else {}),
                 labeller=dict(labeller, num_clusters=K, in_channels=D))
    for name, value in told.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name
    with pytest.raises(ValueError, match=f'the head has num_clusters={K}, {loss} has num_clusters={K + 1}'):
        boost(pseudo_label_loss=dict(type=loss, num_clusters=K + 1))


def test_the_fields_of_labeller_and_loss_are_declared():
    model = boost(pseudo_label_loss=dict(type='ClusMatchLoss', num_clusters=K))
    assert set(model.bank.fills) == {'target', 'label'}
    assert isinstance(model.backbone, FlatNet)
