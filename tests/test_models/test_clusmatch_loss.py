"""ClusMatchLoss against a slow transcription of its equations, over steps that move its state."""
import math

import pytest
import torch

from mmcluster.functional.losses import pseudo
from mmcluster.models import Labelled, SampleBank, Unlabelled
from mmcluster.models.pseudo_label_losses import ClusMatchLoss

pytestmark = pytest.mark.usefixtures('engine')
N, L, U, K = 40, 6, 14, 5
TERMS = ('sup', 'ppl', 'npl', 'kpl', 'fair')


class SlowClusMatch:
    """One row and one class at a time, in Python floats; state of its own."""

    def __init__(self, decay=0.3, absent='keep', exclude=True, clamp=False):
        self.decay, self.absent, self.exclude, self.clamp = decay, absent, exclude, clamp
        self.negative_thresholds = [[0. if a == b else 1 / K for b in range(K)] for a in range(K)]
        self.tau_global = [(K - 1) / K] * K
        self.p_model, self.label_hist = [1 / K] * K, [1 / K] * K

    def average(self, old, new):
        return self.decay * old + (1 - self.decay) * new

    def update(self, prob, guess):
        """Eqs. 9-12, and the averages of the fairness term."""
        for a in range(K):
            members = [p for p, y in zip(prob, guess) if y == a]
            if not members and self.absent == 'keep':
                continue
            count = max(len(members), 1)
            self.tau_global[a] = self.average(self.tau_global[a], sum(1 - max(p) for p in members) / count)
            for b in range(K):
                other = sum(p[b] for p in members) / count if b != a else 0.
                self.negative_thresholds[a][b] = self.average(self.negative_thresholds[a][b], other)
        for a in range(K):
            self.p_model[a] = self.average(self.p_model[a], sum(p[a] for p in prob) / len(prob))
            self.label_hist[a] = self.average(self.label_hist[a], guess.count(a) / len(guess))

    def step(self, l, u, kmeans):
        """Unweighted terms as tensors with gradient."""
        prob = u.logits_weak.detach().double().softmax(1).tolist()
        guess = [p.index(max(p)) for p in prob]
        self.update(prob, guess)
        weak_share = [[self.tau_global[a] * t / sum(self.negative_thresholds[a]) for t in self.negative_thresholds[a]]
                      for a in range(K)]
        log_q = u.logits_strong.double().log_softmax(1)
        terms = {name: torch.zeros((), dtype=torch.float64) for name in TERMS}
        positive, excluded = [], 0
        for i, (p, y) in enumerate(zip(prob, guess)):
            negative = [j for j in range(K) if j != y and p[j] < weak_share[y][j]
                        and not (self.exclude and j == kmeans[i])]
            excluded += len(negative)
            if negative:
                rest = 1 - log_q[i].exp()[negative].sum()
                terms['npl'] = terms['npl'] - (rest.clamp(1e-8, 1) if self.clamp else rest).log() / U
            if p[y] >= 1 - sum(weak_share[y]):
                positive.append(i)
                terms['ppl'] = terms['ppl'] - log_q[i, y] / U
                if kmeans[i] >= 0:
                    terms['kpl'] = terms['kpl'] - log_q[i, kmeans[i]] / U
        terms['fair'] = self.fairness(log_q.exp(), positive)
        if l is not None:
            log_p = l.logits.double().log_softmax(1)
            terms['sup'] = -sum(log_p[i, y] for i, y in enumerate(l.target.tolist()) if y >= 0) / len(l.target)
        return terms, len(positive) / U, excluded / (U * K)

    def fairness(self, q, positive):
        """Section 3, release only."""
        if not positive:
            return torch.zeros((), dtype=torch.float64)
        mean = q[positive].mean(0)
        hist = [sum(int(q[i].argmax()) == k for i in positive) / len(positive) for k in range(K)]
        u = [m / h if h else 0. for m, h in zip(self.p_model, self.label_hist)]
        v = [m / h if h else 0. for m, h in zip(mean, hist)]
        return sum(a / sum(u) * torch.log(torch.as_tensor(b / sum(v)) + 1e-12) for a, b in zip(u, v))


def rows(seed, labelled=True, spread=2.):
    """Labelled and unlabelled rows; classes 3 and 4 are never predicted in the weak view."""
    generator = torch.Generator().manual_seed(seed)

    def logits(count):
        return (spread * torch.randn(count, K, generator=generator)).requires_grad_()
    weak = logits(U).detach() - torch.tensor([0., 0., 0., 30., 30.])
    index = torch.randint(0, N, (U,), generator=generator)
    u = Unlabelled(torch.zeros(U, 2), torch.zeros(U, 2), weak.requires_grad_(), logits(U), index)
    target = torch.randint(-1, K, (L,), generator=generator)
    return Labelled(torch.zeros(L, 2), logits(L), target, torch.arange(L)) if labelled else None, u


def bank_of(seed=0):
    bank = SampleBank(N, dict(label=dict()))
    bank.fill(label=torch.randint(-1, K, (N,), generator=torch.Generator().manual_seed(seed)))
    return bank


WEIGHTS = dict(ppl_weight=0.7, npl_weight=0.3, kpl_weight=1.5, fairness_weight=0.2)


@pytest.mark.parametrize('options', [
    {}, dict(absent='decay'), dict(exclude_kmeans_from_negative=False), dict(clamp=True), dict(decay=0.9)], ids=str)
@pytest.mark.parametrize('spread', [2., 6.])
def test_three_steps_against_the_slow_loop(options, spread):
    loss, bank = ClusMatchLoss(K, **WEIGHTS, **dict(dict(decay=0.3), **options)), bank_of()
    slow = SlowClusMatch(exclude=options.get('exclude_kmeans_from_negative', True),
                         **{key: value for key, value in options.items() if 'exclude' not in key})
    for step in range(3):
        l, u = rows(step, spread=spread)
        losses = loss.loss(l, u, bank)
        terms, share, excluded = slow.step(l, u, bank.label[u.index].tolist())
        weights = dict(sup=1., **{name.split('_')[0].replace('fairness', 'fair'): w for name, w in WEIGHTS.items()})
        assert (0 < excluded < 1 and 0 < share < 1) or loss.decay == 0.9, 'the rows should decide something'
        for name in TERMS:
            torch.testing.assert_close(losses[f'loss_{name}'].double(), weights[name] * terms[name], rtol=1e-5,
                                       atol=1e-6, msg=lambda text: f'{name}, step {step}: {text}')
        assert losses['positive_share'].item() == pytest.approx(share)
        assert losses['negative_share'].item() == pytest.approx(excluded)
        compare_gradients(losses, terms, weights, l, u)
        for name in ('negative_thresholds', 'p_model', 'label_hist'):
            torch.testing.assert_close(getattr(loss, name), torch.tensor(getattr(slow, name)), rtol=1e-5, atol=1e-7)


def compare_gradients(losses, terms, weights, l, u):
    """Gradients in the strong and the labelled logits; none in the weak ones."""
    inputs = (l.logits, u.logits_strong)
    found = torch.autograd.grad(sum(losses[f'loss_{name}'] for name in TERMS), (*inputs, u.logits_weak),
                                allow_unused=True)
    expected = torch.autograd.grad(sum(weights[name] * terms[name] for name in TERMS), inputs)
    assert found[2] is None, 'the weak view must get no gradient'
    for a, b in zip(found, expected):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize('options', [dict(absent='decay'), dict(exclude_kmeans_from_negative=False), dict(clamp=True)],
                         ids=str)
def test_every_option_is_wired(options):
    """A large spread, so that the clamp bites."""
    found = []
    for given in ({}, options):
        loss = ClusMatchLoss(K, decay=0.5, **given)
        for step in range(3):
            losses = loss.loss(*rows(step, spread=25.), bank_of())
        found.append([losses['loss_npl'].item(), loss.negative_thresholds.clone()])
    assert found[0][0] != pytest.approx(found[1][0], rel=1e-4) or not torch.equal(found[0][1], found[1][1])


def test_the_step_by_the_pure_functions():
    """Thresholds are those after this batch, the masks come from the weak view, the losses from the strong view."""
    loss, bank = ClusMatchLoss(K, decay=0.5), bank_of()
    l, u = rows(0)
    prob = u.logits_weak.softmax(1)
    tau = pseudo.update_negative_thresholds(loss.negative_thresholds.clone(), *pseudo.threshold_sums(prob), 0.5)
    positive = pseudo.positive_mask(prob, pseudo.positive_thresholds(tau))
    kmeans = bank.label[u.index]
    negative = pseudo.exclude_class(pseudo.negative_mask(prob, tau), kmeans)
    losses = loss.loss(l, u, bank)
    assert torch.equal(loss.negative_thresholds, tau)
    expected = dict(ppl=pseudo.masked_cross_entropy(u.logits_strong, prob.argmax(1), positive),
                    kpl=pseudo.masked_cross_entropy(u.logits_strong, kmeans, positive),
                    npl=pseudo.negative_learning(u.logits_strong, negative))
    for name, value in expected.items():
        torch.testing.assert_close(losses[f'loss_{name}'], 0.5 * value)


def test_the_first_thresholds():
    """Before any step tau_pos = 1 / K, so that every row is positive; absent classes keep that."""
    loss = ClusMatchLoss(K, decay=1.)
    torch.testing.assert_close(pseudo.positive_thresholds(loss.negative_thresholds), torch.full((K,), 1 / K))
    assert loss.loss(*rows(0), bank_of())['positive_share'] == 1
    keep, fade = (ClusMatchLoss(K, decay=0.9, absent=absent) for absent in ('keep', 'decay'))
    for step in range(3):
        for one in (keep, fade):
            one.loss(*rows(step), bank_of())
    uniform = (1 - torch.eye(K))[3:] / K
    assert torch.equal(keep.negative_thresholds[3:], uniform)
    torch.testing.assert_close(fade.negative_thresholds[3:], 0.9 ** 3 * uniform)


@pytest.mark.parametrize('name', ['ppl', 'npl', 'kpl', 'fair'])
def test_a_zero_weight_leaves_the_term_out(name):
    weight = dict(fair='fairness').get(name, name) + '_weight'
    losses = ClusMatchLoss(K, **{weight: 0.}).loss(*rows(0), bank_of())
    assert {key for key in losses if key.startswith('loss_')} == {f'loss_{t}' for t in TERMS if t != name}


def test_without_labelled_rows():
    loss = ClusMatchLoss(K)
    losses = loss.loss(None, rows(0)[1], bank_of())
    assert 'loss_sup' not in losses and losses['loss_ppl'] > 0
    other = ClusMatchLoss(K)
    other.loss(*rows(0), bank_of())
    assert torch.equal(other.negative_thresholds, loss.negative_thresholds), 'labelled rows move no statistic'


def test_without_unlabelled_rows():
    loss, bank = ClusMatchLoss(K), SampleBank(N, ClusMatchLoss.fields)
    before = {name: value.clone() for name, value in loss.state_dict().items()}
    logits = torch.zeros(0, K, requires_grad=True)
    losses = loss.loss(None, Unlabelled(logits, logits, logits, logits, torch.zeros(0, dtype=torch.long)), bank)
    assert all(value == 0 for value in losses.values())
    assert all(torch.equal(value, loss.state_dict()[name]) for name, value in before.items())


def test_statistics_move_in_training_mode_only():
    loss, bank = ClusMatchLoss(K), SampleBank(N, ClusMatchLoss.fields)
    before = {name: value.clone() for name, value in loss.state_dict().items()}
    logits = torch.randn(U, K, generator=torch.Generator().manual_seed(0))
    loss.eval().loss(None, Unlabelled(logits, logits, logits, logits, torch.arange(U)), bank)
    assert all(torch.equal(value, loss.state_dict()[name]) for name, value in before.items())


def test_rows_before_the_first_kmeans_count_nothing():
    loss, bank = ClusMatchLoss(K), SampleBank(N, dict(label=dict()))
    losses = loss.loss(*rows(0), bank)
    assert losses['loss_kpl'] == 0 and losses['loss_ppl'] > 0 and math.isfinite(losses['loss_npl'].item())


def test_state_is_in_buffers_alone():
    """A loaded copy continues bit by bit, and nothing else moved."""
    loss, bank = ClusMatchLoss(K, decay=0.9), bank_of()
    before = set(vars(loss))
    for step in range(2):
        loss.loss(*rows(step), bank)
    assert set(vars(loss)) == before and not list(loss.parameters())
    assert set(loss.state_dict()) == {'negative_thresholds', 'p_model', 'label_hist'}
    assert not any(buffer.requires_grad for buffer in loss.buffers())
    copy = ClusMatchLoss(K, decay=0.9)
    copy.load_state_dict(loss.state_dict())
    a, b = (one.loss(*rows(7), bank) for one in (loss, copy))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert all(torch.equal(x, y) for x, y in zip(loss.buffers(), copy.buffers()))


def test_an_unknown_choice_for_absent_classes():
    with pytest.raises(ValueError, match=r"absent must be one of \('keep', 'decay'\), got 'drop'"):
        ClusMatchLoss(K, absent='drop')
