"""E-steps: when they are due, what they read, what they write."""
import copy
import logging
import weakref

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score

from mmcluster.datasets import StreamSampler, identity
from mmcluster.engine.extract import extract, output_function, sweep_loader
from mmcluster.engine.hooks import EStepHook, KMeansHook, SelectHook
from mmcluster.functional.clustering.kmeans import center_similarity, kmeans
from mmcluster.functional.losses.cross_level import scale_features
from mmcluster.registry import LABEL_SELECTORS
from mmcluster.structures import Key

from .fake import D, K, N, blobs, fake_runner, rowwise, scalar

SELECTOR = dict(type='CentroidDistance', num_clusters=K, sigma=0.2, n_init=2)


class Stamp(EStepHook):
    """Writes the number of the epoch and counts its calls."""

    def __init__(self, **kwargs):
        super().__init__('label', **kwargs)
        self.calls = []

    def estimate(self, runner, features):
        self.calls.append(runner.epoch)
        return dict(label=torch.full((N,), runner.epoch))


def run(hook, runner, epochs=(0,)):
    for runner.epoch in epochs:
        hook.before_train_epoch(runner)
    return runner.model.bank


@pytest.mark.parametrize('interval, epochs, expected', [
    (1, range(4), [0, 1, 2, 3]), (2, range(5), [0, 2, 4]), (3, range(4, 8), [4, 6]), (-1, range(4), [0]),
    (-1, range(2, 5), [2])])
def test_when_an_estep_is_due(interval, epochs, expected):
    """By the epoch, and while its field is unset."""
    hook, runner = Stamp(interval=interval), fake_runner()
    bank = run(hook, runner, epochs)
    assert hook.calls == expected and (bank.label == expected[-1]).all()


@pytest.mark.parametrize('interval, epochs, expected', [
    (1, range(6), [3, 4, 5]), (2, range(7), [3, 5]), (-1, range(6), [3]), (-1, range(4, 6), [4])])
def test_an_estep_may_begin_late(interval, epochs, expected):
    hook, runner = Stamp(interval=interval, begin=3), fake_runner()
    run(hook, runner, range(3))
    assert hook.calls == [] and not runner.model.bank.is_set('label')
    assert run(hook, runner, epochs).label.unique().tolist() == expected[-1:] and hook.calls == expected


@pytest.mark.parametrize('interval, begin, expected', [(5, 0, [0, 1, 2, 3, 4]), (10, 0, [0, 2, 4]), (-1, 0, [0]),
                                                       (10, 5, [1, 3])])
def test_an_interval_of_iterations(interval, begin, expected):
    """Five iterations an epoch; the E-step comes between epochs."""
    hook, runner = Stamp(interval=interval, begin=begin, by_epoch=False), fake_runner()
    runner.train_dataloader.sampler = StreamSampler(range(N), dict(batch=dict(size=8)), length=5)
    for epoch in range(5):
        runner.iter = 5 * epoch
        run(hook, runner, [epoch])
    assert hook.calls == expected


@pytest.mark.parametrize('options, name', [(dict(interval=3), 'interval=3'), (dict(interval=5, begin=2), 'begin=2'),
                                           (dict(interval=12), 'interval=12')])
def test_iterations_that_end_within_an_epoch(options, name):
    hook, runner = Stamp(by_epoch=False, **options), fake_runner()
    runner.train_dataloader.sampler = StreamSampler(range(N), dict(batch=dict(size=8)), length=5)
    with pytest.raises(ValueError, match=f'{name} iterations end within an epoch, which has 5.*sampler.length to'):
        run(hook, runner)


@pytest.mark.parametrize('interval, expected', [(1, [4, 5, 6, 7]), (3, [6]), (-1, [])])
def test_a_resumed_run_sees_the_esteps_of_the_whole_run(interval, expected):
    """The checkpoint holds the field, so the epoch alone decides."""
    hook, runner = Stamp(interval=interval), fake_runner()
    runner.model.bank.fill(label=torch.full((N,), 3))
    run(hook, runner, range(4, 8))
    assert hook.calls == expected


def test_once_means_while_the_field_is_unset():
    hook, runner = Stamp(interval=-1), fake_runner()
    runner.model.bank.fill(torch.tensor([3]), label=torch.tensor([2]))
    run(hook, runner, range(3))
    assert hook.calls == [] and (runner.model.bank.label >= 0).sum() == 1


def test_once_looks_at_every_field():
    """A posterior that checkpoints do not hold is made again after a resume."""
    model = rowwise()
    model.bank.add_field('posterior', shape=(K,), dtype='float32', fill=0, persistent=False)
    bank = run(KMeansHook(K, interval=-1, posterior_temperature=0.1), fake_runner(model))
    resumed = rowwise()
    resumed.bank.add_field('posterior', shape=(K,), dtype='float32', fill=0, persistent=False)
    resumed.load_state_dict(model.state_dict())
    assert resumed.bank.is_set('label') and not resumed.bank.is_set('posterior')
    run(KMeansHook(K, interval=-1, posterior_temperature=0.1), fake_runner(resumed))
    torch.testing.assert_close(resumed.bank.posterior, bank.posterior)


@pytest.mark.parametrize('metric', ['cosine', 'euclidean'])
def test_kmeans_on_the_embedding(metric):
    runner = fake_runner(seed=5)
    bank = run(KMeansHook(K, metric=metric, n_init=2), runner, [3])
    embed = extract(runner.model, sweep_loader(runner.train_dataloader.dataset), N)
    assert torch.equal(bank.label, kmeans(embed, K, n_init=2, metric=metric, seed=8).labels)
    assert adjusted_rand_score(blobs()[1], bank.label) == 1
    sizes = torch.bincount(bank.label)
    assert scalar(runner, 'cluster_min') == sizes.min() and scalar(runner, 'cluster_max') == sizes.max()
    unit = torch.nn.functional.normalize(embed, dim=1)
    assert scalar(runner, 'estep_feat_std') == pytest.approx(unit.std(0).mean().item())


def test_other_epochs_draw_other_seeds():
    """Only this makes the next test mean something: unaligned ids change."""
    runner = fake_runner()
    found = {tuple(run(KMeansHook(K, n_init=1), runner, [epoch]).label.tolist()) for epoch in range(6)}
    assert len(found) > 1


@pytest.mark.parametrize('posterior', [None, 0.1])
def test_aligned_clusters_keep_the_ids_of_the_targets(posterior):
    model, blob = rowwise(), blobs()[1]
    if posterior:
        model.bank.add_field('posterior', shape=(K,), dtype='float32', fill=0)
    names = torch.tensor([2, 0, 3, 1])[blob]
    target = torch.where(torch.arange(N) % 5 == 0, names, -1)
    target[0] = (names[0] + 1) % K                                   # one wrong vote
    model.bank.fill(target=target)
    runner = fake_runner(model)
    hook = KMeansHook(K, n_init=1, align_to='target', posterior_temperature=posterior)
    for epoch in range(6):
        assert torch.equal(run(hook, runner, [epoch]).label, names)
        assert scalar(runner, 'align_agreement') == pytest.approx(1 - 1 / (target >= 0).sum().item())
        if posterior:
            assert torch.equal(model.bank.posterior.argmax(1), names)
    assert torch.equal(model.bank.target, target)


@pytest.mark.parametrize('views', ['test', 'train'])
def test_a_trained_head_names_the_clusters(monkeypatch, views):
    model, blob = rowwise(fields=()), blobs()[1]
    model.bank.add_field('label', shape=(2,) if views == 'train' else ())
    names = torch.tensor([2, 0, 3, 1])[blob]
    logits = torch.nn.functional.one_hot(names, K).float()
    logits[0] = logits[0].roll(1)                                    # one wrong vote
    hook = KMeansHook(K, n_init=1, align_to='head', views=views)
    monkeypatch.setattr(hook.head, 'features', lambda runner: logits)
    for epoch in range(4):
        label = run(hook, fake_runner(model), [epoch]).label
        assert torch.equal(label.reshape(N, -1), names[:, None].expand(N, label[0].numel()))


def test_targets_that_say_nothing_leave_the_ids_of_the_last_time():
    """One trusted row cannot name four clusters; the others keep the names they had."""
    model, blob = rowwise(), blobs()[1]
    model.bank.fill(target=torch.full((N,), -1))
    model.bank.fill(torch.tensor([0]), target=blob[:1])
    runner, hook = fake_runner(model), KMeansHook(K, n_init=1, align_to='target')
    first = run(hook, runner, [0]).label.clone()
    for epoch in range(1, 6):
        assert torch.equal(run(hook, runner, [epoch]).label, first)


def test_posterior_of_the_centres():
    model = rowwise()
    model.bank.add_field('posterior', shape=(K,), dtype='float32', fill=0)
    runner = fake_runner(model)
    bank = run(KMeansHook(K, n_init=2, posterior_temperature=0.3), runner)
    embed = extract(model, sweep_loader(runner.train_dataloader.dataset), N)
    result = kmeans(embed, K, n_init=2, seed=0)
    torch.testing.assert_close(bank.posterior, (center_similarity(embed, result.centers).float() / 0.3).softmax(1))
    assert torch.equal(bank.posterior.argmax(1), bank.label)


def test_a_missing_field_is_named_before_the_sweep(monkeypatch):
    hook = KMeansHook(K, posterior_temperature=0.3)
    monkeypatch.setattr(hook, 'features', lambda runner: pytest.fail('the sweep was not needed'))
    with pytest.raises(KeyError, match="no field 'posterior'.*model.bank.fields"):
        run(hook, fake_runner())


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_features_that_are_not_finite(value):
    model = rowwise()
    model.bank.fill(label=torch.arange(N))
    model.backbone.fc.weight.data[0, 0] = value
    with pytest.raises(FloatingPointError, match='features of epoch 4 are not finite.*lower the learning rate'):
        run(KMeansHook(K), fake_runner(model), [4])
    assert torch.equal(model.bank.label, torch.arange(N))


@pytest.mark.parametrize('options, from_base, message', [
    ({}, ['backbone'], None), ({}, ['backbone', 'head'], "output='head_probs'"),
    (dict(output='embed+head_probs'), ['backbone', 'head'], None), (dict(field='prototypes'), ['head'], None)])
def test_numbers_of_clusters_are_no_classes_of_a_trained_head(options, from_base, message):
    runner, hook = fake_runner(), SelectHook(SELECTOR, **options)
    runner.model.from_base = from_base
    if message is None:
        return hook.before_train(runner)
    with pytest.raises(ValueError, match=message):
        hook.before_train(runner)


def test_selector_and_head_have_one_number_of_clusters():
    runner = fake_runner()
    runner.model.head = torch.nn.Identity()
    for clusters in (K, K + 1):
        runner.model.head.num_clusters = clusters
        SelectHook(SELECTOR, field='prototypes').before_train(runner)
        if clusters == K:
            SelectHook(SELECTOR).before_train(runner)
    with pytest.raises(ValueError, match=f'num_clusters={K}, the model {K + 1}; give both one value'):
        SelectHook(SELECTOR).before_train(runner)


def test_alignment_needs_trusted_rows():
    with pytest.raises(RuntimeError, match="align_to='target' has no trusted row"):
        run(KMeansHook(K, align_to='target'), fake_runner())


@pytest.mark.parametrize('hook, problem', [
    (lambda: KMeansHook(K, interval=0), 'interval'), (lambda: KMeansHook(K, interval=-2), 'interval'),
    (lambda: KMeansHook(K, begin=-1), 'begin must be at least 0'),
    (lambda: KMeansHook(K, scale='rank'), r"scale must be one of \(None, 'set', 'batch'\)"),
    (lambda: KMeansHook(K, per_view=True), "needs views='train'"),
    (lambda: KMeansHook(K, per_view=True, views='train', align_to='target'), 'align_to'),
    (lambda: KMeansHook(1), 'num_clusters must be at least 2'), (lambda: KMeansHook(K, views='both'), 'views must be'),
    (lambda: KMeansHook(N + 1).before_train(fake_runner()), f'{N} images, fewer than num_clusters={N + 1}'),
    (lambda: run(KMeansHook(K, output='features'), fake_runner()), "Rowwise has no output 'features'")])
def test_wrong_arguments(hook, problem):
    with pytest.raises(ValueError, match=problem):
        hook()


def test_the_model_may_say_how_many_clusters():
    head = torch.nn.Linear(D, K)
    head.num_clusters = K
    told, asked = (fake_runner(rowwise(head=copy.deepcopy(head)), seed=1) for _ in range(2))
    KMeansHook(n_init=1).before_train(asked)
    assert torch.equal(run(KMeansHook(n_init=1), asked).label, run(KMeansHook(K, n_init=1), told).label)
    with pytest.raises(ValueError, match='Rowwise does not say how many clusters it has; give num_clusters'):
        KMeansHook().before_train(fake_runner())


@pytest.mark.parametrize('wrapped', [False, True])
def test_the_model_tells_a_selector_how_many_clusters(wrapped):
    head = torch.nn.Linear(D, K)
    head.num_clusters = K
    runner = fake_runner(rowwise(head=head))
    asked = {name: value for name, value in SELECTOR.items() if name != 'num_clusters'}
    hook = SelectHook(dict(type='FirstRows', num_rows=N, selector=asked) if wrapped else asked)
    hook.before_train(runner)
    told = SelectHook(SELECTOR)
    told.before_train(runner)
    assert hook.selector.num_clusters == K
    assert torch.equal(run(hook, runner).target.clone(), run(told, fake_runner(rowwise(head=head))).target)
    with pytest.raises(ValueError, match='Rowwise does not say how many clusters it has; give'):
        SelectHook(asked).before_train(fake_runner())


def test_as_many_clusters_as_images():
    KMeansHook(N).before_train(fake_runner())


# ---- an older network

def older(path):
    """Config and weights of a network that sees only the last two dimensions, so that its clusters are others."""
    model = rowwise()
    model.backbone.fc.weight.data[:4] = 0
    torch.save(dict(state_dict=model.state_dict()), path)
    cfg = dict(type='Rowwise', backbone=dict(type='Affine'),
               bank=dict(num_samples=None, fields=dict(label={}, target={})),
               data_preprocessor=dict(type='ViewPreprocessor', mean=[0.], std=[1.]),
               init_cfg=dict(type='Pretrained', checkpoint=str(path)))
    return cfg, model


def test_features_of_an_older_network(tmp_path):
    cfg, model = older(tmp_path / 'older.pth')
    runner = fake_runner()
    hook = KMeansHook(K, n_init=2, interval=-1, network=cfg)
    embed = extract(model, sweep_loader(runner.train_dataloader.dataset), N)
    torch.testing.assert_close(hook.features(runner), embed)
    bank = run(hook, runner)
    assert torch.equal(bank.label, kmeans(embed, K, n_init=2, seed=0).labels)
    assert adjusted_rand_score(blobs()[1], bank.label) < 0.5
    assert cfg['bank']['num_samples'] is None, 'the config is left alone'
    (tmp_path / 'older.pth').unlink()
    run(hook, runner, range(1, 3))                                   # not due: neither built nor loaded
    with pytest.raises(FileNotFoundError):
        run(hook, fake_runner())


def test_the_older_network_may_know_another_data_set(tmp_path):
    """Heads of a labelled part select among all images: what their bank holds plays no part."""
    cfg, model = older(tmp_path / 'older.pth')
    state = {**model.state_dict(), 'bank.label': torch.zeros(N - 7, dtype=torch.long)}
    torch.save(dict(state_dict=state), tmp_path / 'older.pth')
    runner = fake_runner()
    embed = extract(model, sweep_loader(runner.train_dataloader.dataset), N)
    torch.testing.assert_close(KMeansHook(K, network=cfg).features(runner), embed)


def test_names_of_the_older_network_may_be_revised(tmp_path):
    cfg, model = older(tmp_path / 'older.pth')
    torch.save(dict(state_dict={f'net.{key}': value for key, value in model.state_dict().items()}),
               tmp_path / 'older.pth')
    with pytest.raises(ValueError, match='missing: backbone'):
        KMeansHook(K, network=cfg).features(fake_runner())
    cfg['init_cfg']['prefix'] = 'net'
    runner = fake_runner()
    embed = extract(model, sweep_loader(runner.train_dataloader.dataset), N)
    torch.testing.assert_close(KMeansHook(K, network=cfg).features(runner), embed)


def test_the_older_network_must_fit_its_file(tmp_path):
    cfg, model = older(tmp_path / 'older.pth')
    state = model.state_dict()
    state.pop('backbone.fc.weight')
    torch.save(dict(state_dict=state), tmp_path / 'older.pth')
    with pytest.raises(ValueError, match='missing: backbone.fc.weight'):
        run(KMeansHook(K, network=cfg), fake_runner())


# ---- extraction

@pytest.mark.parametrize('batch_size', [7, 60, 512])
def test_extraction_is_ordered_and_leaves_no_trace(batch_size):
    runner = fake_runner()
    model = runner.model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = extract(model, sweep_loader(runner.train_dataloader.dataset, batch_size), N)
    torch.testing.assert_close(found, torch.from_numpy(blobs()[0]) / (1 + 1e-5) ** 0.5)      # fresh running statistics
    assert found.dtype == torch.float32 and not found.requires_grad and model.training and model.backbone.bn.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_rows_may_come_in_any_order():
    dataset = fake_runner().train_dataloader.dataset
    order = torch.randperm(N, generator=torch.Generator().manual_seed(0))
    batches = [[Key(int(row), 'test') for row in rows] for rows in order.split(13)]
    shuffled = torch.utils.data.DataLoader(dataset, batch_size=None, sampler=batches, collate_fn=identity)
    assert torch.equal(extract(rowwise(), shuffled, N), extract(rowwise(), sweep_loader(dataset), N))


@pytest.mark.parametrize('training', [True, False])
def test_training_views_restore_buffers_and_mode(training):
    runner = fake_runner()
    model = runner.model.train(training)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    loader = sweep_loader(runner.train_dataloader.dataset, 20, stream='batch')
    found = extract(model, loader, N, views='train')
    rows = torch.from_numpy(blobs()[0]).split(20)
    expected = torch.cat([(x - x.mean(0)) / (x.var(0, correction=0) + 1e-5).sqrt() for x in rows])
    assert found.shape == (N, 2, D)
    torch.testing.assert_close(found, torch.stack([expected, expected], 1), rtol=1e-4, atol=1e-4)
    assert model.training is training and model.backbone.bn.training is training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_labels_of_training_views():
    """A field with one entry for each view; every view of a trusted row votes."""
    model, blob = rowwise(fields=('target',)), blobs()[1]
    model.bank.add_field('label', shape=(2,))
    model.bank.add_field('posterior', shape=(2, K), dtype='float32', fill=0)
    names = torch.tensor([2, 0, 3, 1])[blob]
    model.bank.fill(target=torch.where(torch.arange(N) % 5 == 0, names, -1))
    hook = KMeansHook(K, n_init=2, views='train', align_to='target', posterior_temperature=0.1)
    for epoch in range(3):
        bank = run(hook, fake_runner(model), [epoch])
        assert torch.equal(bank.label, torch.stack([names, names], 1))
        assert torch.equal(bank.posterior.argmax(2), bank.label)


@pytest.mark.parametrize('per_view', [False, True])
@pytest.mark.parametrize('scale', [None, 'set', 'batch'])
def test_views_are_clustered_together_or_apart(per_view, scale, monkeypatch):
    monkeypatch.setattr('mmcluster.engine.hooks.kmeans.SCALE_BATCH', 20)
    model = rowwise(fields=())
    model.bank.add_field('view_label', shape=(2,))
    hook = KMeansHook(K, field='view_label', views='train', per_view=per_view, scale=scale, n_init=2,
                      metric='euclidean', interval=-1, begin=2)
    features = torch.randn(N, 2, 3, generator=torch.Generator().manual_seed(0))
    features[:, 1] = 5 * features[:, 1] + 7
    runner = fake_runner(model, seed=3)
    hook.features = lambda runner: features
    label = run(hook, runner, [2]).view_label
    seed, order = 5, torch.randperm(N * (1 if per_view else 2), generator=torch.Generator().manual_seed(5))
    parts = features.unbind(1) if per_view else [features.flatten(0, 1)]
    expected = [kmeans(scale_features(part, scale, 20, order), K, n_init=2, metric='euclidean', seed=seed).labels
                for part in parts]
    assert torch.equal(label, torch.stack(expected, 1) if per_view else expected[0].view(N, 2))
    assert label.unique().tolist() == list(range(K))


@pytest.mark.parametrize('num_samples, missing', [(N + 1, 1), (N - 1, 0)])
def test_a_sweep_must_be_whole(num_samples, missing):
    loader = sweep_loader(fake_runner().train_dataloader.dataset)
    with pytest.raises(RuntimeError, match=f'returned 60 rows of {num_samples}, {missing} of them are missing'):
        extract(rowwise(), loader, num_samples)


def test_a_sweep_returns_every_row_once():
    dataset = fake_runner().train_dataloader.dataset
    batches = [[Key(int(row), 'test') for row in rows] for rows in [range(30), [0, *range(30, N - 1)]]]
    twice = torch.utils.data.DataLoader(dataset, batch_size=None, sampler=batches, collate_fn=identity)
    with pytest.raises(RuntimeError, match=f'returned {N} rows of {N}, 1 of them are missing'):
        extract(rowwise(), twice, N)


@pytest.mark.parametrize('views', ['test', 'train'])
def test_a_sweep_keeps_one_copy_of_what_it_found(views):
    """The rows of a batch are let go before the next one comes."""
    runner, alive = fake_runner(), []

    def rows(x):
        out = runner.model.__class__.embed(runner.model, x)
        alive.append(sum(reference() is not None for reference in references))
        references.append(weakref.ref(out))
        return out

    references, runner.model.rows = [], rows
    loader = sweep_loader(runner.train_dataloader.dataset, 6, stream='test' if views == 'test' else 'batch')
    extract(runner.model, loader, N, 'rows', views)
    assert len(alive) == N // 6 * (1 + (views == 'train')) and max(alive) <= 3


def test_half_precision_features_come_back_in_float32():
    runner = fake_runner()
    loader = sweep_loader(runner.train_dataloader.dataset)
    full, half = (extract(runner.model, loader, N, dtype=dtype) for dtype in (None, torch.bfloat16))
    assert half.dtype == torch.float32 and not torch.equal(full, half)
    torch.testing.assert_close(full, half, rtol=2e-2, atol=2e-2)


def test_outputs():
    model = rowwise(head=torch.nn.Linear(D, K)).eval()
    x = torch.randn(5, D)
    assert torch.equal(output_function(model, 'embed')(x), model.embed(x))
    assert torch.equal(output_function(model, 'logits')(x), model.head(model.embed(x)))
    torch.testing.assert_close(output_function(model, 'head_probs')(x), model.head(model.embed(x)).softmax(1))


# ---- selection

def test_selected_rows_are_written_once(caplog):
    runner = fake_runner()
    hook = SelectHook(SELECTOR)
    with caplog.at_level(logging.INFO, 'fake'):
        target = run(hook, runner).target.clone()
    embed = hook.features(runner)
    assert torch.equal(target, LABEL_SELECTORS.build(SELECTOR)(embed)) and (target >= 0).sum() == 12
    assert 'chose 12 of 60 rows; per cluster [3, 3, 3, 3]' in caplog.text and 'not balanced' not in caplog.text
    runner.model.backbone.fc.weight.data.normal_()
    assert torch.equal(run(hook, runner, range(1, 3)).target, target)


def test_a_class_that_the_model_does_not_have(tmp_path):
    runner = fake_runner()
    runner.model.head = torch.nn.Identity()
    runner.model.head.num_clusters = K
    target = np.full(N, -1)
    for highest in (K - 1, K):
        target[:K + 1] = np.arange(K + 1) % (highest + 1)
        np.save(tmp_path / 't.npy', target)
        hook = SelectHook(dict(type='GivenLabels', file=str(tmp_path / 't.npy')))
        if highest < K:
            assert run(hook, runner).target.tolist() == target.tolist()
    with pytest.raises(ValueError, match=f'GivenLabels gives class {K}, and the model has num_clusters={K}'):
        hook.estimate(runner, hook.features(runner))


def test_probabilities_of_a_head_are_selected():
    head = torch.nn.Linear(D, K)
    model = rowwise(head=head)
    runner = fake_runner(model)
    hook = SelectHook(dict(type='ProbabilityVariance', sigma=0.2), output='head_probs')
    target = run(hook, runner).target
    prob = hook.features(runner)
    torch.testing.assert_close(prob.sum(1), torch.ones(N))
    chosen = target >= 0
    assert chosen.any() and torch.equal(target[chosen], prob.argmax(1)[chosen])


@pytest.mark.parametrize('num_clusters', [K - 1, K + 1])
def test_another_number_of_clusters_than_the_head_has(num_clusters):
    """Embedding and probabilities stand in one row; cut at the wrong place both would be garbage."""
    hook = SelectHook(dict(type='LocalConsistency', num_clusters=num_clusters, k=5, ratio=0., threshold=None),
                      output='embed+head_probs')
    with pytest.raises(ValueError, match=f'num_clusters={num_clusters}, which is not the K of the head'):
        run(hook, fake_runner(rowwise(head=torch.nn.Linear(D, K))))


@pytest.mark.parametrize('output', ['head_probs', 'embed+head_probs', 'logits'])
def test_a_network_without_a_head_has_no_probabilities(output):
    with pytest.raises(ValueError, match='has no head'):
        run(SelectHook(dict(type='ProbabilityVariance', sigma=0.2), output=output), fake_runner())


def test_the_selector_must_match_the_output():
    with pytest.raises(ValueError, match="output='head_probs'"):
        run(SelectHook(dict(type='ProbabilityVariance', sigma=0.2)), fake_runner())
    with pytest.raises(ValueError, match="output='embed'"):
        run(SelectHook(SELECTOR, output='head_probs'), fake_runner(rowwise(head=torch.nn.Linear(D, K))))


def test_a_selection_that_is_empty_or_unbalanced(caplog):
    with pytest.raises(RuntimeError, match=r'CentroidDistance chose none of \d+ rows; .*: a larger share'):
        run(SelectHook(dict(SELECTOR, sigma=0.01)), fake_runner())
    features = np.concatenate([blobs()[0], np.tile(3 * np.eye(1, D, 5, dtype=np.float32), (1, 1))])
    with caplog.at_level(logging.WARNING, 'fake'):
        run(SelectHook(dict(SELECTOR, num_clusters=K + 1, n_init=10)), fake_runner(features=features))
    assert 'not balanced: 1 to 2 rows a cluster; a cluster without any is lost' in caplog.text
