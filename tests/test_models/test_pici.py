"""PICI: its phases, its labels, and what it refuses, against loops over single images."""
import math
from types import SimpleNamespace

import pytest
import torch
from small_models import B, K, N, gradients, views
from small_pici import ARCH, LABELS, PATCHES, pici, slow_mask, slow_matched

from mmcluster.engine.hooks import KMeansHook, MatchHook
from mmcluster.functional.views.masked import masked_reconstruction
from mmcluster.models.base_parts import build_base
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

pytestmark = pytest.mark.usefixtures('engine')
PHASES = dict(pretraining=(1., 0., 0.), training=(1., 1., 0.), boosting=(0., 1., 1.))
INDEX = torch.randperm(N, generator=torch.Generator().manual_seed(3))[:B]


def batch(seed=0):
    return Batch(views(seed), INDEX)


def step(model, phase='training', data=None, seed=5, backward=True):
    """Losses of one step in a phase; its masks are those of the seed."""
    model.pisd, model.picd, model.cross_level = PHASES[phase]
    torch.manual_seed(seed)
    losses = model(data_samples=dict(batch=data or batch()), mode='loss')
    if backward:
        sum(value for name, value in losses.items() if name.startswith('loss_')).backward()
    return losses


def slow_vectors(model, seed=5):
    """Class tokens and masks of all images of both views, one image at a time, and all their tokens."""
    torch.manual_seed(seed)
    noise, images = torch.rand(2 * B, 4), torch.cat(views())
    found = [slow_mask(model.backbone, x, row) for x, row in zip(images, noise)]
    return images, noise, [tokens for tokens, _ in found], torch.stack([removed for _, removed in found])


def slow_contrast(rows, positive, temperature):
    """-log of the share of each row's partner among all others."""
    terms = []
    for i in range(len(rows)):
        cosine = {j: rows[i] @ rows[j] / (rows[i].norm() * rows[j].norm()) / temperature
                  for j in range(len(rows)) if j != i}
        terms.append(torch.stack(list(cosine.values())).logsumexp(0) - cosine[positive(i)])
    return sum(terms) / len(terms)


# ---- the three losses

def test_reconstruction_is_the_mean_of_both_views():
    model = pici()
    images, noise, tokens, removed = slow_vectors(model)
    restore = noise.argsort(1).argsort(1)
    errors = [masked_reconstruction(images[rows], model.decoder(torch.stack(tokens)[rows], restore[rows]),
                                    removed[rows], 2) for rows in (slice(None, B), slice(B, None))]
    torch.testing.assert_close(step(model, 'pretraining')['loss_pisd'], sum(errors) / 2)


def test_contrast_of_images_and_of_clusters():
    model = pici()
    _, _, tokens, _ = slow_vectors(model)
    h = torch.stack([rows[0] for rows in tokens])
    losses = step(model, 'training')
    z = model.projector(h)
    torch.testing.assert_close(losses['loss_instance'], slow_contrast(list(z), lambda i: (i + B) % (2 * B), 0.5))
    c = [part.softmax(1) for part in model.head(h).chunk(2)]
    columns = [column for part in c for column in part.t()]
    gap = sum(math.log(K) + (part.mean(0) * part.mean(0).log()).sum() for part in c)
    torch.testing.assert_close(losses['loss_cluster'], slow_contrast(columns, lambda i: (i + K) % (2 * K), 1.) + gap)


@pytest.mark.parametrize('double', [False, True])
def test_interaction_renames_the_labels_of_each_view(double):
    """Most labels stand for one cluster each, under other names in each view."""
    model, names = pici(double_softmax=double), torch.tensor([[2, 0, 3, 1], [1, 2, 3, 0]])
    _, _, tokens, _ = slow_vectors(model)
    logits = model.head(torch.stack([rows[0] for rows in tokens])).view(2, B, K)
    labels = names.gather(1, logits.argmax(2))
    for row in labels:
        row[0] = row[row != row[0]][0]      # a label that others carry, so that its name is not open
    model.bank.fill(INDEX, view_label=labels.t())
    losses, total = step(model, 'boosting'), 0.
    for view in range(2):
        renamed = slow_matched(labels[view].tolist(), logits[view].argmax(1).tolist())
        assert renamed[1:] == logits[view].argmax(1).tolist()[1:] != labels[view].tolist()[1:]
        scores = logits[view].softmax(1) if double else logits[view]
        total = total - sum(scores[i].log_softmax(0)[label] for i, label in enumerate(renamed)) / B
    torch.testing.assert_close(losses['loss_cross_level'], total / 2)
    assert losses['cross_level_agreement'].item() == pytest.approx(1 - 1 / B)


def test_weights_multiply_the_losses():
    plain, heavy = step(pici(), 'boosting'), pici()
    heavy.pisd, heavy.picd, heavy.cross_level = 3., 0.5, 2.
    torch.manual_seed(5)
    losses = heavy.loss(batch())
    for name, factor in dict(loss_instance=0.5, loss_cluster=0.5, loss_cross_level=2., entropy_gap=1.).items():
        torch.testing.assert_close(losses[name], factor * plain[name])
    torch.testing.assert_close(losses['loss_pisd'], 3 * step(pici(), 'pretraining')['loss_pisd'])


def test_plain_pixels_are_another_target():
    normed, plain = (step(pici(norm_pix=norm), 'pretraining')['loss_pisd'].item() for norm in (True, False))
    assert abs(normed - plain) > 1e-3


# ---- phases

@pytest.mark.parametrize('phase, trained', [
    ('pretraining', {'backbone', 'decoder'}), ('training', {'backbone', 'decoder', 'projector', 'head'}),
    ('boosting', {'backbone', 'projector', 'head'})])
def test_a_phase_trains_its_parts_and_leaves_the_others_without_gradient(phase, trained):
    model = pici()
    losses = step(model, phase)
    assert {name.split('.')[0] for name in gradients(model)} == trained
    untouched = {name for name, p in model.named_parameters() if p.requires_grad and p.grad is None}
    assert not {name for name in untouched if name.split('.')[0] in trained}
    assert ('loss_pisd' in losses, 'loss_instance' in losses, 'loss_cross_level' in losses) == tuple(map(bool, PHASES[phase]))


def forbid(monkeypatch, module):
    monkeypatch.setattr(module, 'forward', lambda *args: pytest.fail('ran without need'))


def test_no_decoder_in_boosting_and_evaluation(monkeypatch):
    model = pici()
    forbid(monkeypatch, model.decoder)
    step(model, 'boosting')
    for training in (True, False):
        model.train(training)
        model.outputs(views()[0])
        model.project(views()[0])
        model(views()[0])


def test_no_heads_in_pretraining(monkeypatch):
    model = pici()
    forbid(monkeypatch, model.head)
    forbid(monkeypatch, model.projector)
    step(model, 'pretraining')


@pytest.mark.parametrize('phase', PHASES)
def test_every_phase_sees_a_part_of_the_patches_once(monkeypatch, phase):
    model, lengths = pici(), []
    model.backbone.layers[0].register_forward_pre_hook(lambda module, args: lengths.append(args[0].shape[:2]))
    step(model, phase)
    assert lengths == [(2 * B, 1 + 2)]


def test_masks_of_the_views_are_independent():
    model, x = pici(), views(count=1)[0]
    torch.manual_seed(0)
    mask = model.backbone.masked(torch.cat([x, x])).mask
    assert not torch.equal(mask[:B], mask[B:]) and len(mask[:B].unique(dim=0)) > 1


def test_projections_are_masked_in_training_only():
    model, x = pici(), views()[0]
    assert not torch.equal(model.project(x), model.project(x))
    model.eval()
    expected = torch.nn.functional.normalize(model.projector(model.backbone(x)), dim=1)
    torch.testing.assert_close(model.project(x), expected)
    assert torch.equal(model.project(x), model.project(x))


def test_predictions_see_the_whole_image():
    model, x = pici().eval(), views()[0]
    embed, logits = model.outputs(x)
    assert torch.equal(embed, model.backbone(x)) and torch.equal(logits, model.head(embed))
    assert not torch.equal(pici(backbone=dict(
        type='MaskedViT', arch=ARCH, test_mask_ratio=0.5, **PATCHES)).eval().embed(x), embed)


# ---- labels

def test_labels_follow_the_data_set_index():
    model = pici()
    expected = step(model, 'boosting', backward=False)['loss_cross_level']
    order = torch.randperm(N)
    other = pici()
    other.bank.fill(view_label=LABELS[order.argsort()][torch.arange(N)])
    renumbered = Batch(views(), order[INDEX])
    torch.testing.assert_close(step(other, 'boosting', renumbered, backward=False)['loss_cross_level'], expected)


def test_names_of_labels_do_not_matter():
    model, names = pici(), torch.tensor([2, 0, 3, 1])
    expected = step(model, 'boosting', backward=False)
    model.bank.fill(view_label=torch.stack([names[LABELS[:, 0]], LABELS[:, 1]], 1))
    found = step(model, 'boosting', backward=False)
    torch.testing.assert_close(found['cross_level_agreement'], expected['cross_level_agreement'])


def test_labels_that_are_missing_are_named():
    model = pici()
    model.bank.fill(view_label=torch.full((N, 2), -1))
    with pytest.raises(RuntimeError, match=r"bank.view_label is not filled.*type='KMeansHook'.*begin="):
        step(model, 'boosting')


def test_labels_of_the_whole_set_are_taken_as_they_stand():
    model = pici(match='set')
    assert model.required_hooks == ('MatchHook',) and pici().required_hooks == ()
    _, _, tokens, _ = slow_vectors(model)
    expected = 0.
    for view in range(2):
        logits = model.head(torch.stack([rows[0] for rows in tokens[view * B:(view + 1) * B]]))
        expected = expected + torch.nn.functional.cross_entropy(logits, LABELS[INDEX, view]) / 2
    torch.testing.assert_close(step(model, 'boosting')['loss_cross_level'], expected)


def test_the_match_hook_renames_by_all_rows():
    model, names = pici(match='set'), torch.tensor([1, 2, 3, 0])
    cluster = torch.arange(N) % K
    label = torch.stack([names[cluster], cluster], 1)
    label[0] = (label[0] + 1) % K
    model.bank.fill(view_label=label)
    runner, hook = SimpleNamespace(model=model), MatchHook(begin=3)
    logits = torch.nn.functional.one_hot(cluster, K).float()
    for features in (logits, torch.stack([logits, logits], 1)):
        renamed = hook.estimate(runner, features)['view_label']
        assert torch.equal(renamed[1:], torch.stack([cluster, cluster], 1)[1:]) and (renamed[0] != cluster[0]).all()
    logged = {}
    runner.message_hub = SimpleNamespace(update_scalar=logged.__setitem__)
    model.bank.fill(view_label=renamed)
    hook.log(runner, logits)
    assert logged == {'train/match_agreement': pytest.approx(1 - 1 / N)}
    with pytest.raises(TypeError, match='interval'):
        MatchHook(interval=2)
    model.bank.fill(view_label=torch.full((N, 2), -1))
    with pytest.raises(RuntimeError, match='let the KMeansHook .* come before this hook, with begin=3'):
        hook.estimate(runner, logits)


def test_kmeans_must_have_the_heads_clusters():
    runner = SimpleNamespace(model=pici(), train_dataloader=SimpleNamespace(dataset=range(N)))
    with pytest.raises(ValueError, match=f'num_clusters={K + 1}, the model {K}'):
        KMeansHook(K + 1, field='view_label', views='train').before_train(runner)
    KMeansHook(field='view_label', views='train').before_train(runner)
    runner.model.bank.add_field('label')
    with pytest.raises(ValueError, match=r"views='train' makes labels \(N, V\) .*, and bank.label is"):
        KMeansHook(views='train').before_train(runner)


# ---- as a base, and what is refused

def test_boosters_take_network_and_head():
    base = dict(type='PICI', bank=dict(num_samples=None), backbone=dict(type='MaskedViT', arch=ARCH, **PATCHES),
                projector=dict(type='MLPProjector', in_channels=8, hid_channels=8, out_channels=6, norm=False),
                head=dict(type='MLPClusterHead', in_channels=8, num_clusters=K), pisd=0.)
    assert [part is None for part in build_base(base).deployed()] == [False, True, False]
    boost = MODELS.build(dict(type='Boost', base=base, bank=dict(num_samples=N), teacher=dict(decay=0.9),
                              pseudo_label_loss=dict(type='FixMatchLoss', num_clusters=K)))
    boost.init_weights()
    losses = boost.loss(unlabelled=batch())
    sum(value for name, value in losses.items() if name.startswith('loss_')).backward()
    assert {name.split('.')[0] for name, _ in boost.named_parameters()} == {'backbone', 'head', 'teacher'}
    assert boost.outputs(views()[0])[1].shape == (B, K)


@pytest.mark.parametrize('options, message', [
    (dict(bank=None), 'bank=dict'), (dict(match='epoch'), "match must be one of"),
    (dict(backbone=dict(type='SmallCNN', widths=(4, 8))), "backbone must be a 'MaskedViT', not SmallCNN"),
    (dict(decoder=None), 'pisd is not 0'),
    (dict(decoder=dict(type='MaskedDecoder', embed_dim=8, decoder_embed_dim=4, decoder_depth=1, decoder_num_heads=1,
                       img_size=8, patch_size=2, in_channels=1)), r'decoder has grid=\(4, 4\).*has \(2, 2\)'),
    (dict(decoder=dict(type='MaskedDecoder', embed_dim=4, decoder_embed_dim=4, decoder_depth=1, decoder_num_heads=1,
                       **PATCHES)), 'decoder has embed_dim=4'),
    (dict(decoder=dict(type='MaskedDecoder', embed_dim=8, decoder_embed_dim=4, decoder_depth=1, decoder_num_heads=1,
                       img_size=4, patch_size=2, in_channels=3)), 'decoder has in_channels=3'),
    (dict(backbone=dict(type='MaskedViT', arch=ARCH, mask_ratio=0., **PATCHES)), 'removes none of 4 patches'),
    (dict(head=dict(type='MLPClusterHead', in_channels=8, num_clusters=1)), 'num_clusters must be at least 2')])
def test_what_cannot_work_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        pici(**options)


def test_a_decoder_is_asked_for_when_a_schedule_needs_it():
    with pytest.raises(ValueError, match='pisd is not 0'):
        step(pici(decoder=None, pisd=0.), 'pretraining')


def test_without_masks_and_decoder_it_is_contrast_alone():
    model = pici(decoder=None, pisd=0., backbone=dict(type='MaskedViT', arch=ARCH, mask_ratio=0., **PATCHES))
    losses = model.loss(batch())
    assert set(losses) == {'loss_instance', 'loss_cluster', 'feat_std', 'entropy_gap'}


def test_half_precision_is_finite():
    model = pici()
    model.pisd, model.picd, model.cross_level = 1., 1., 1.
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model.loss(batch())
    assert all(value.dtype == torch.float32 and value.isfinite() for value in losses.values())
