"""ASDLabels inside a booster, against loops over single rows; its state, its options, and what it refuses."""
import math
from copy import deepcopy

import pytest
import torch
from small_models import D, K, N, assert_same, disturb, gradients
from sync_guard import SyncGuard
from torch.nn import functional as F

from mmcluster.functional.labels.instance import align_instances, cluster_target
from mmcluster.models import Boost
from mmcluster.models.batch_norm import frozen_statistics
from mmcluster.structures import Batch

pytestmark = pytest.mark.usefixtures('engine')
M, U, WINDOW = 8, 12, 3
ANCHORS = torch.arange(M) * 3 + 2
MAP = torch.tensor([3, 0, 1, 2, 0, 1, 2, 3])
IMAGES = torch.randn(N, 1, 4, 4, generator=torch.Generator().manual_seed(1))
LOSSES = dict(FixMatchLoss=dict(threshold=0.3), FlexMatchLoss=dict(threshold=0.3),
              FreeMatchLoss=dict(decay=0.5, fairness_weight=0.1), SoftMatchLoss=dict(decay=0.5, align='labelled'),
              AdaMatchLoss=dict(decay=0.5), MixMatchLoss=dict(unsup_weight=5.),
              MutexMatchLoss=dict(in_channels=D, threshold=0.3))


def booster(loss='FixMatchLoss', teacher=dict(decay=0.9), reference=None, anchors=ANCHORS, **options):
    torch.manual_seed(0)
    model = Boost(
        backbone=dict(type='FlatNet'), neck=dict(type='MLPProjector', in_channels=6, hid_channels=8, out_channels=D),
        head=dict(type='LinearClusterHead', in_channels=D, num_clusters=K), bank=dict(num_samples=N), teacher=teacher,
        labeller=dict(type='ASDLabels', **{**dict(in_channels=D, num_clusters=K, num_labelled=M, num_unlabelled=U,
                                                  window=WINDOW), **options}),
        pseudo_label_loss=dict(type=loss, num_clusters=K, **LOSSES[loss]), reference=reference)
    model.init_weights()
    disturb(model, 2)
    model.bank.fill(index=anchors, anchor=torch.arange(len(anchors)))
    return model.train()


def streams(step, labelled=None, reference=ANCHORS):
    """Rows of an iteration; the first labelled ones are the anchors in another order."""
    generator = torch.Generator().manual_seed(step)
    if labelled is None:
        labelled = torch.randperm(N, generator=generator)[:M] if step else ANCHORS[torch.tensor([4, 0, 7, 1, 2, 6, 3, 5])]
    unlabelled = torch.randint(N, (U,), generator=generator)

    def view(index):
        return IMAGES[index] + 0.3 * torch.randn(len(index), 1, 4, 4, generator=generator)
    data = dict(unlabelled=Batch([view(unlabelled), view(unlabelled)], unlabelled),
                labelled=Batch([view(labelled)], labelled))
    return data if reference is None else dict(data, reference=Batch([IMAGES[reference]], reference))


def train(model, steps, first=0, mapped=None):
    """Train some steps, with a map from step ``mapped`` on; the losses of all."""
    optimiser, found = torch.optim.SGD(model.parameters(), lr=0.3), []
    for step in range(first, first + steps):
        if step == mapped:
            model.labeller.set_map(MAP)
        torch.manual_seed(step)
        losses = model.loss(**streams(step))
        optimiser.zero_grad()
        sum(value for name, value in losses.items() if name.startswith('loss_')).backward()
        optimiser.step()
        if model.teacher is not None:
            model.teacher.update(model)
        found.append({name: value.detach() for name, value in losses.items()})
    return found


# ---- the slow labeller

def slow_transport(feats, anchors, reg, relative=True, sweeps=100):
    """Soft labels as lists, by potentials of rows and columns in turn."""
    def unit(rows):
        return [[float(x) / math.sqrt(sum(float(y) ** 2 for y in row)) for x in row] for row in rows]
    feats, anchors = unit(feats), unit(anchors)
    cost = [[1 - sum(a * b for a, b in zip(f, g)) for g in anchors] for f in feats]
    every = [value for row in cost for value in row]
    mean = sum(every) / len(every)
    if relative:
        reg *= math.sqrt(sum((value - mean) ** 2 for value in every) / len(every))
    u, v, n, m = [0.] * len(feats), [0.] * len(anchors), len(feats), len(anchors)

    def soft(values):
        top = max(values)
        return top + math.log(sum(math.exp(value - top) for value in values))
    for _ in range(sweeps):
        u = [-math.log(n) - soft([v[j] - cost[i][j] / reg for j in range(m)]) for i in range(n)]
        v = [-math.log(m) - soft([u[i] - cost[i][j] / reg for i in range(n)]) for j in range(m)]
    scores = [[v[j] - cost[i][j] / reg for j in range(m)] for i in range(n)]
    return [[math.exp(score - soft(row)) for score in row] for row in scores]


class SlowASD:
    """What a run remembers, as lists."""

    def __init__(self):
        self.last, self.lists, self.steps = {}, [], 0

    def labels(self, model, data, relative, reg):
        """Soft labels (M, M)."""
        anchor, labelled = data['reference'].views[0], data['labelled'].views[0]
        with torch.no_grad(), frozen_statistics(model):
            if model.from_teacher:
                net = deepcopy(model.teacher).eval()
                feats, anchors = (net.neck(net.backbone(rows)) for rows in (labelled, anchor))
            else:
                anchors, feats = model.neck(model.backbone(torch.cat([anchor, labelled]))).split(M)
        self.steps += 1
        if self.steps == 1:
            order = sorted(data['reference'].index.tolist())
            return [[float(order[j] == row) for j in range(M)] for row in data['labelled'].index.tolist()]
        return slow_transport(feats, anchors, reg, relative)

    def step(self, model, data, class_map=None, relative=True, reg=0.2):
        """Instance loss, number of transitions, their matrix, and cluster labels."""
        label = self.labels(model, data, relative, reg)
        images = [data['labelled'].views[0], *data['unlabelled'].views]
        with frozen_statistics(model):
            feat = model.neck(model.backbone(torch.cat(images)))
        logits = model.labeller.head(feat)
        log_prob = logits[:M].log_softmax(1)
        loss = -sum(label[i][j] * log_prob[i, j] for i in range(M) for j in range(M)) / M
        moves = []
        for row, new in zip(data['unlabelled'].index.tolist(), logits[M:M + U].argmax(1).tolist()):
            old = self.last.get(row)
            if old is not None and old != new:
                moves.append((old, new))
            self.last[row] = new
        self.lists.append(moves)
        counts = torch.zeros(M, M, dtype=torch.long)
        for one in self.lists[-WINDOW:]:
            for old, new in one:
                counts[old, new] += 1
        target = None if class_map is None else torch.tensor([int(class_map[row.index(max(row))]) for row in label])
        sup = None if target is None else F.cross_entropy(model.head(feat[:M]), target)
        return loss, len(moves), counts, sup


@pytest.mark.parametrize('teacher, reference, options', [
    (dict(decay=0.9), None, {}), (None, None, {}), (dict(decay=0.9), 'network', dict(reg=0.5)),
    (dict(decay=0.9), 'teacher', dict(reg=0.05, reg_mode='absolute'))])
def test_steps_by_hand(teacher, reference, options):
    model, slow = booster(teacher=teacher, reference=reference, **options), SlowASD()
    relative = options.get('reg_mode') != 'absolute'
    total = 0
    for step in range(8):
        if step == 4:
            model.labeller.set_map(MAP)
        data = streams(step)
        loss, moves, counts, sup = slow.step(model, data, MAP if step >= 4 else None, relative, options.get('reg', 0.2))
        if step == 2:
            model.zero_grad()
            loss.backward()
            expected = gradients(model)
            model.zero_grad()
            state = deepcopy(model.state_dict())
            model.loss(**data)['loss_ins'].backward()
            assert_same(gradients(model), expected, atol=2e-4)
            model.load_state_dict(state)
        found = train(model, 1, step)[0]
        torch.testing.assert_close(found['loss_ins'], loss.detach(), rtol=1e-4, atol=1e-5)
        assert last_moves(model) == moves and torch.equal(model.labeller.counts, counts)
        assert {row: value for row, value in enumerate(model.bank.pred.tolist()) if value >= 0} == slow.last
        assert ('loss_sup' in found) is (step >= 4)
        if step >= 4:
            torch.testing.assert_close(found['loss_sup'], sup.detach(), rtol=1e-4, atol=1e-5)
        total += moves
    assert total > sum(len(one) for one in slow.lists[-WINDOW:]) > 0, 'some transitions left the window'


# ---- before the first map

def memory(model):
    """What a loss remembers."""
    loss = model.pseudo_label_loss
    return {**loss.state_dict(), **{f'bank.{name}': getattr(model.bank, name) for name in loss.fields}}


@pytest.mark.parametrize('loss', LOSSES)
def test_any_loss_waits_for_the_first_map(loss):
    """Nothing of it is called, and nothing that it remembers, in itself or in the bank, moves."""
    model = booster(loss)
    method = 'mixed_losses' if loss == 'MixMatchLoss' else 'loss'
    setattr(model.pseudo_label_loss, method, lambda *args: pytest.fail('there are no labels yet'))
    state = deepcopy(memory(model))
    for losses in train(model, 3):
        assert {name for name in losses if name.startswith('loss_')} == {'loss_ins'}
    assert not model.labeller.mapped and (model.labeller.class_map == -1).all()
    assert_same(memory(model), state, atol=0)
    assert model.backbone.bn.num_batches_tracked == 3
    delattr(model.pseudo_label_loss, method)
    before = deepcopy(dict(model.named_parameters()))
    first, second = train(model, 2, 3, mapped=3)
    wanted = {'loss_pos', 'loss_neg', 'loss_sep'} if loss == 'MutexMatchLoss' else {'loss_unsup'}
    for losses in (first, second):
        assert {'loss_ins', 'loss_sup', *wanted} <= set(losses)
        assert all(torch.isfinite(value) for value in losses.values())
    for name, value in memory(model).items():
        assert not torch.equal(value, state[name]), f'{name} did not move'
    for name in ('labeller.head.weight', 'head.fc.weight', 'neck.fc1.weight'):
        assert not torch.equal(dict(model.named_parameters())[name], before[name])


@pytest.mark.parametrize('loss', LOSSES)
def test_the_instance_loss_reaches_the_network(loss):
    model = booster(loss)
    model.loss(**streams(0))['loss_ins'].backward()
    found = gradients(model)
    assert all(found[name].abs().sum() > 0 for name in ('labeller.head.weight', 'neck.fc1.weight', 'backbone.fc.weight'))
    assert 'head.fc.weight' not in found


def last_moves(model):
    """Transitions of the last step."""
    return int((model.labeller.ring[model.labeller.pointer - 1] >= 0).sum())


def labels_of(model, data):
    """Instance labels of a step."""
    model.loss(**data)
    return model.labeller.seen['labels']


def test_the_first_labels_are_the_anchors_themselves():
    model, data = booster(), streams(0)
    first, second = labels_of(model, data), labels_of(model, data)
    own = (data['labelled'].index - 2) // 3
    assert torch.equal(first.label, torch.eye(M)[own]) and torch.equal(first.index, own)
    assert (second.label < 0.999).any()
    model = booster(warmup=2)
    assert all(torch.equal(labels_of(model, data).label, torch.eye(M)[own]) for _ in range(2))
    assert (labels_of(model, data).label < 0.999).any()
    assert (labels_of(booster(), streams(1)).label < 0.999).any(), 'other rows have no such label'


# ---- state

def test_a_window_of_settled_predictions_is_empty():
    """After N_b iterations, not one earlier or later."""
    model = booster()
    train(model, 5)
    data, left, moves = streams(5), [], []
    with torch.no_grad():
        for _ in range(WINDOW + 1):
            model.loss(**data)
            moves.append(last_moves(model))
            left.append(int(model.labeller.counts.sum()))
    assert moves[0] > 0 and moves[1:] == [0] * WINDOW
    assert left[0] > left[1] >= left[WINDOW - 1] == moves[0] and left[WINDOW] == 0


def test_a_resumed_run_goes_on_bit_for_bit():
    for options in ({}, dict(anchor_mode='frozen')):
        whole, parts = booster('FreeMatchLoss', **options), booster('FreeMatchLoss', **options)
        expected = train(whole, 8, mapped=3)
        found = train(parts, 5, mapped=3)
        again = booster('FreeMatchLoss', anchors=torch.arange(M), **options)
        again.load_state_dict(parts.state_dict())
        assert again.labeller.mapped and torch.equal(again.bank.anchor, whole.bank.anchor)
        found += train(again, 3, 5)
        assert found == expected
        assert_same(again.state_dict(), whole.state_dict(), atol=0)
        fresh = booster('FreeMatchLoss', **options)
        again.load_state_dict(fresh.state_dict())
        assert not again.labeller.mapped


def test_the_state_is_in_the_checkpoint():
    names = {'ring', 'counts', 'pointer', 'steps', 'class_map', 'head.weight', 'head.bias'}
    assert set(booster().labeller.state_dict()) == names
    assert set(booster(anchor_mode='frozen').labeller.state_dict()) == names | {'anchor_feat'}
    assert set(booster().bank.state_dict()) == {'fingerprint', 'pred', 'anchor'}


def test_evaluation_moves_nothing():
    model = booster(anchor_mode='frozen')
    train(model, 2)
    model.labeller.eval()
    state = deepcopy({**model.labeller.state_dict(), **model.bank.state_dict()})
    model.loss(**streams(2))
    assert_same({**model.labeller.state_dict(), **model.bank.state_dict()}, state, atol=0)


@pytest.mark.parametrize('loss', LOSSES)
def test_no_step_waits_for_the_device(loss):
    model = booster(loss)
    for mapped in (False, True):
        with SyncGuard():
            model.loss(**streams(1))['loss_ins'].backward()
        model.labeller.set_map(MAP)


# ---- options

@pytest.mark.parametrize('mode', ['recompute', 'frozen'])
def test_anchors_that_move_with_the_network_and_anchors_that_rest(mode):
    model = booster(anchor_mode=mode)
    kept, references = None, []
    model.labeller.register_forward_pre_hook(lambda _, inputs: references.append(inputs[3]))
    for step in range(4):
        given = labels_of(model, streams(step))
        anchor, feat = references[-1]
        used = anchor if mode == 'recompute' or kept is None else kept
        expected = align_instances(feat, used)
        torch.testing.assert_close(given.cost, expected.cost)
        kept = used
        if mode != 'recompute':
            torch.testing.assert_close(model.labeller.anchor_feat, kept)
        disturb(model, step + 9)
    assert (references[0].anchor - references[-1].anchor).abs().max() > 0.1, 'the network moved'


def test_given_labels_count_instead_of_a_map():
    """The instance loss and the transitions are what they are without them."""
    plain, given = booster(), booster(given='target')
    assert given.labeller.required_hooks == ('GroundTruthHook', 'AnchorHook')
    assert plain.labeller.required_hooks == ('AnchorHook', 'TransitionHook')
    target = torch.arange(N) % K
    given.bank.fill(target=target)
    for seed in range(3):
        data = streams(seed)
        for model in (plain, given):
            model.labeller.load_state_dict(plain.labeller.state_dict())
        before, found = plain.loss(**data), given.loss(**data)
        assert 'loss_sup' not in before and torch.equal(before['loss_ins'], found['loss_ins'])
        states = [model.labeller.state_dict() for model in (plain, given)]
        assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())
        logits = given.forward_streams(**data)[0].logits.detach()
        expected = torch.nn.functional.cross_entropy(logits, target[data['labelled'].index])
        torch.testing.assert_close(found['loss_sup'], expected)
    assert not given.labeller.mapped and given.labeller.counts.sum() > 0
    assert given.labeller.has_labels and not plain.labeller.has_labels
    plain.labeller.set_map(MAP)
    assert plain.labeller.has_labels


def test_soft_labels_keep_the_doubt():
    hard, soft = booster(), booster(soft=True)
    targets = []
    for model in (hard, soft):
        train(model, 3)
        model.labeller.set_map(MAP)
        given = labels_of(model, streams(3))
        with torch.no_grad():
            targets.append((given, model.labeller(*arguments(model, streams(3)))[0]))
    (given, label), (_, share) = targets
    assert label.shape == (M,) and share.shape == (M, K)
    torch.testing.assert_close(share, torch.stack([given.label[:, c == MAP].sum(1) for c in range(K)], 1))
    assert torch.equal(label, MAP[given.label.argmax(1)]) and (share.max(1).values < 0.99).any()
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(cluster_target(given.label, given.index, MAP, K, soft=True), share)


def arguments(model, data):
    """What a booster hands to its labeller."""
    kept = []
    handle = model.labeller.register_forward_pre_hook(lambda _, inputs: kept.append(inputs))
    state = deepcopy(model.state_dict())
    model.loss(**data)
    model.load_state_dict(state)
    handle.remove()
    return kept[0]


def test_identical_images_have_uniform_labels():
    model, data = booster(), streams(1)
    data = {name: Batch([torch.ones_like(view) for view in batch.views], batch.index) for name, batch in data.items()}
    given = labels_of(model, data)
    torch.testing.assert_close(given.label, torch.full((M, M), 1 / M))
    assert all(torch.isfinite(value) for value in model.loss(**data).values())


def test_half_precision():
    model = booster()
    model.labeller.set_map(MAP)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model.loss(**streams(1))
    assert losses['loss_ins'].dtype == torch.float32 and all(torch.isfinite(value) for value in losses.values())


# ---- bad input

@pytest.mark.parametrize('options, problem', [
    (dict(num_labelled=K - 1), f'{K - 1} labelled rows cannot stand for {K} clusters; raise num_labelled'),
    (dict(num_clusters=1), 'at least 2, got 1'),
    (dict(num_clusters=K + 1), f'the head has num_clusters={K}, ASDLabels has num_clusters={K + 1}'),
    (dict(anchor_mode='moving'), r"anchor_mode must be one of .*got 'moving'"),
    (dict(reg_mode='other'), "one of .*'relative', 'absolute'.*'other'"), (dict(reg=0.), 'must be positive')])
def test_wrong_options(options, problem):
    with pytest.raises(ValueError, match=problem):
        booster(**options)


@pytest.mark.parametrize('loss, options, place', [
    ('FixMatchLoss', dict(in_channels=D + 1), 'model.labeller'),
    ('MutexMatchLoss', dict(given='target'), 'model.pseudo_label_loss')])
def test_an_embedding_of_another_width(monkeypatch, loss, options, place):
    monkeypatch.setitem(LOSSES, 'MutexMatchLoss', dict(in_channels=D + 1))
    model = booster(loss, **options)
    model.bank.fill(**{'target': torch.arange(N) % K} if options.get('given') else {})
    with pytest.raises(ValueError, match=f'{place}.in_channels is {D + 1}, but the head takes an embedding of {D}'):
        model.loss(**streams(0))


@pytest.mark.parametrize('data, problem', [
    (dict(reference=None), 'compares with anchors: give the sampler a stream reference='),
    (dict(reference=ANCHORS[:-1]), rf'num_labelled={M}, but {M} labelled rows and {M - 1} anchors came'),
    (dict(labelled=torch.arange(M + 2)), rf'num_labelled={M}, but {M + 2} labelled rows and {M} anchors came')])
def test_wrong_streams(data, problem):
    with pytest.raises(ValueError, match=problem):
        booster().loss(**streams(1, **data))


@pytest.mark.parametrize('options, name', [(dict(window=WINDOW + 1), 'ring'), (dict(num_unlabelled=U + 2), 'ring'),
                                           (dict(num_labelled=M + 4), 'ring|counts|class_map')])
def test_a_checkpoint_of_other_settings(options, name):
    """A Runner that resumes would only warn, and go on with what fits."""
    state = booster().state_dict()
    with pytest.raises(ValueError, match=rf"checkpoint's labeller\.({name}) has shape .*give num_labelled, num_unlab"):
        booster(**options).load_state_dict(state, strict=False)


def test_more_unlabelled_rows_than_the_ring_holds():
    with pytest.raises(ValueError, match='a batch of 12 images does not fit into a ring for 11'):
        booster(num_unlabelled=U - 1).loss(**streams(1))
