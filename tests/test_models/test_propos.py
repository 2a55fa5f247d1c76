"""ProPos against a slow transcription."""
import pytest
import torch
from slow_propos import SlowProPos
from small_models import B, D, K, N, assert_same, batch, disturb, gradients, parts

from mmcluster.models.clusterers import ProPos
from mmcluster.structures import Batch

pytestmark = pytest.mark.usefixtures('engine')


def labels(seed=0, num_clusters=K):
    return torch.randint(0, num_clusters, (N,), generator=torch.Generator().manual_seed(seed))


def posterior(seed=0):
    rows = torch.rand(N, K, generator=torch.Generator().manual_seed(seed))
    return rows.masked_fill(rows < 0.3, 0)


def propos(label=None, seed=0, **kwargs):
    torch.manual_seed(seed)
    model = ProPos(**parts(), **dict(dict(num_clusters=K, bank=dict(num_samples=N)), **kwargs))
    disturb(model.teacher, 1)
    if label is not None:
        model.bank.fill(**{model.field: label})
    return model.train()


def compare(model, label, steps=1, size=B):
    """Losses, gradients and every state of both implementations over some steps."""
    slow = SlowProPos(model, label)
    for step in range(steps):
        if step:                                    # an E-step in between: queue entries get their new labels
            label = label.roll(step)
            slow.label = label
            model.bank.fill(**{model.field: label})
        data = batch(step, size)
        torch.manual_seed(step)
        losses = model.loss(data)
        terms = slow.step(data.views, data.index, seed=step)
        torch.testing.assert_close(losses['loss_psa'], terms['psa'], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(losses['loss_psl'], model.psl_weight * terms['psl'], rtol=1e-4, atol=1e-5)
        model.zero_grad()
        sum(value for name, value in losses.items() if name.startswith('loss_')).backward()
        for net in slow.nets.values():
            net.zero_grad()
        (terms['psa'] + model.psl_weight * terms['psl']).backward()
        for name, net in slow.nets.items():
            assert_same(gradients(getattr(model, name)), gradients(net), atol=1e-5)
            disturb(net, step)
            disturb(getattr(model, name), step)
        for name, net in slow.momentum.items():
            assert_same(getattr(model.teacher, name).state_dict(), net.state_dict())
    return losses


@pytest.mark.parametrize('options', [
    {}, dict(sigma=0.), dict(sigma=0.5), dict(psl_weight=2.), dict(temperature=0.1), dict(ema_before_forward=True),
    dict(joint_views=True), dict(ema_before_forward=True, joint_views=True), dict(decay=0.5)], ids=str)
def test_two_steps_against_the_slow_loss(options):
    label = labels()
    compare(propos(label, **options), label, steps=2)


@pytest.mark.parametrize('options', [
    {}, dict(absent_fill=-10.), dict(absent_fill=1.), dict(over_all=True), dict(absent_fill=-1., over_all=True)],
    ids=str)
def test_absent_clusters(options):
    label = labels(num_clusters=3) * 2                              # of 6 clusters 0, 2 and 4 occur
    found = compare(propos(label, num_clusters=6, **options), label)
    assert found['present_clusters'] == 3


@pytest.mark.parametrize('options', [dict(absent_fill=1.), dict(over_all=True), dict(temperature=1.)], ids=str)
def test_options_change_the_loss(options):
    label = labels(num_clusters=3) * 2
    losses = [propos(label, num_clusters=6, sigma=0., **given).loss(batch())['loss_psl'].item()
              for given in ({}, options)]
    assert losses[0] != pytest.approx(losses[1], rel=1e-3)


def test_more_clusters_than_rows():
    label = torch.arange(N)
    found = compare(propos(label, num_clusters=N, psl_weight=1.), label)
    assert found['present_clusters'] == B


def test_one_cluster_gives_no_scattering():
    model = propos(torch.zeros(N), num_clusters=3)
    losses = model.loss(batch())
    assert losses['loss_psl'].item() == pytest.approx(0, abs=1e-6) and losses['present_clusters'] == 1
    losses['loss_psl'].backward()
    assert all(grad.abs().max() < 1e-7 for grad in gradients(model).values())


def test_rows_without_a_label_take_no_part():
    label = labels()
    label[batch().index[:5]] = -1
    compare(propos(label, psl_weight=1.), label)
    nothing = propos(sigma=0.).loss(batch())
    assert nothing['loss_psl'] == 0 and nothing['present_clusters'] == 0


@pytest.mark.parametrize('options', [{}, dict(queue_size=17), dict(mask_scope='rank')], ids=str)
def test_soft_assignment(options):
    prob = posterior()
    prob[:, 2] = 0
    found = compare(propos(prob, assignment='soft', psl_weight=1., **options), prob, steps=1 + bool(options))
    assert found['present_clusters'] < K


@pytest.mark.parametrize('size', [2 * B, 17, 100, 7])
def test_queue_against_the_slow_loss(size):
    """Smaller than one step's keys, equal to them, and so large that it is not full at the end."""
    label = labels()
    model = propos(label, queue_size=size, psl_weight=1.)
    compare(model, label, steps=4)
    assert (model.queue_index < 0).sum() == max(0, size - 4 * 2 * B) and model.queue_pointer == 8 * B % size


def test_an_unfilled_queue_counts_for_nothing():
    label = labels()
    label[0] = 3                                    # an unfilled entry must not pass for row 0
    loss, with_queue = (propos(label, queue_size=size).loss(batch()) for size in (0, 50))
    assert torch.equal(loss['loss_psl'], with_queue['loss_psl'])
    assert loss['present_clusters'] == with_queue['present_clusters']


def test_the_queue_is_saved():
    model = propos(labels(), queue_size=17)
    model.loss(batch())
    other = propos(queue_size=17, seed=3)
    other.load_state_dict(model.state_dict())
    torch.manual_seed(0)
    first = model.loss(batch(1))
    torch.manual_seed(0)
    assert_same(other.loss(batch(1)), first, atol=0)


@pytest.mark.parametrize('options', [{}, dict(queue_size=2 * B)], ids=str)
def test_a_rank_mask_leaves_out_what_the_own_rows_lack(options):
    label = labels()
    model = propos(label, mask_scope='rank', psl_weight=1., **options)
    model.bank.fill(label=torch.where(torch.isin(torch.arange(N), batch(1).index), label % 2, label))
    compare(model, model.bank.label.clone(), steps=1)
    slow = SlowProPos(model, model.bank.label.clone())
    slow.past.extend(zip(model.queue.clone(), model.queue_index.tolist()) if options else [])
    torch.manual_seed(1)
    found = model.loss(batch(1))
    expected = slow.step(*batch(1), seed=1)['psl']
    torch.testing.assert_close(found['loss_psl'], expected, rtol=1e-4, atol=1e-5)
    assert found['present_clusters'] == (K if options else 2)


def test_gradients_reach_online_parts_only():
    model = propos(labels(), queue_size=17)
    losses = model.loss(batch())
    (losses['loss_psa'] + losses['loss_psl']).backward()
    for name, parameter in model.named_parameters():
        assert (parameter.grad is None) == name.startswith('teacher.'), name
    assert not model.queue.requires_grad
    model.zero_grad()
    model.loss(batch())['loss_psl'].backward()
    reached = {name.split('.')[0] for name in gradients(model)}
    assert reached == {'backbone', 'neck'}, 'prototypes are made before the predictor'


def test_noise_is_on_the_raw_embedding_before_the_predictor():
    model = propos(sigma=0.7, psl_weight=0.)
    z, k = torch.randn(6, D) * 10, torch.nn.functional.normalize(torch.randn(6, D), dim=1)
    seen = []
    model.predictor.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    torch.manual_seed(9)
    model.align(z, k)
    torch.manual_seed(9)
    assert torch.equal(seen[0], z + 0.7 * torch.randn(6, D))


def test_no_noise_draws_no_number():
    model, state = propos(sigma=0., psl_weight=0.), torch.get_rng_state()
    model.loss(batch())
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize('weight', [0., 0.1])
def test_a_zero_weight_reads_no_label(weight, monkeypatch):
    model = propos(labels(), psl_weight=weight, queue_size=17)
    reads = []
    monkeypatch.setattr(model.bank, 'read', lambda *args, read=model.bank.read: reads.append(args) or read(*args))
    losses = model.loss(batch())
    assert len(reads) == bool(weight) and ('loss_psl' in losses) == bool(weight)
    assert (model.queue_pointer > 0) == bool(weight)


def test_weight_and_noise_may_be_scheduled():
    """What a ScheduleHook sets is what the next step uses."""
    model = propos(labels(), sigma=0., psl_weight=1.)
    one = model.loss(batch())['loss_psl']
    again = propos(labels(), sigma=0., psl_weight=0.)
    again.psl_weight = 3.
    torch.testing.assert_close(again.loss(batch())['loss_psl'], 3 * one)


def test_the_bank_gets_the_fields():
    assert set(propos().bank.fills) == {'label'} and propos().field == 'label'
    soft = propos(assignment='soft')
    assert soft.bank.posterior.shape == (N, K) and soft.bank.posterior.dtype == torch.float32


@pytest.mark.parametrize('value', ['all', None])
@pytest.mark.parametrize('name', ['assignment', 'gather_grad', 'mask_scope'])
def test_unknown_options(name, value):
    with pytest.raises(ValueError, match=f'ProPos: {name} must be one of .*, got {value!r}'):
        propos(**{name: value})


def test_a_bank_is_needed():
    with pytest.raises(ValueError, match='give it bank=dict'):
        propos(bank=None)


def test_one_row_more_than_once():
    """Sampling with replacement repeats rows; each occurrence counts."""
    label, data = labels(), batch()
    data = Batch(data.views, data.index[torch.arange(B) % 5])
    model = propos(label, psl_weight=1.)
    slow = SlowProPos(model, label)
    torch.manual_seed(0)
    found = model.loss(data)['loss_psl']
    torch.testing.assert_close(found, slow.step(*data)['psl'], rtol=1e-4, atol=1e-5)
