"""k-means against slow loops, scikit-learn and laws."""
from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.cluster import KMeans
from torch import Tensor

from mmcluster.functional.clustering.decide import SAFE, ScoringCenters, choose, scores
from mmcluster.functional.clustering.kmeans import center_similarity, kmeans, lloyd
from mmcluster.functional.clustering.seeding import Space, num_trials, random_seeds, seed_restarts

METRICS = ('cosine', 'euclidean')


def blobs(n: int = 200, d: int = 6, k: int = 4, spread: float = 0.7, seed: int = 0) -> Tensor:
    """Overlapping groups (N, D) around K directions of different lengths, float64."""
    generator = torch.Generator().manual_seed(seed)
    middle = torch.randn(k, d, generator=generator, dtype=torch.float64) * 2
    noise = torch.randn(n, d, generator=generator, dtype=torch.float64) * spread
    return middle[torch.arange(n) % k] + noise


def unit(row: np.ndarray) -> np.ndarray:
    return row / max(np.sqrt((row ** 2).sum()), 1e-12)


def far(row: np.ndarray, center: np.ndarray, metric: str) -> float:
    if metric == 'cosine':
        return 1 - float(unit(row) @ unit(center))
    return float(((row - center) ** 2).sum())


@pytest.mark.parametrize('metric', METRICS)
def test_random_rows_to_begin_with(metric: str) -> None:
    """Every restart is Lloyd's iteration from distinct rows, all equally likely; the best one counts."""
    x = blobs(60, spread=1.5)
    seeds = random_seeds(len(x), 4, 5, seed=3)
    assert all(len(set(rows)) == 4 for rows in seeds.tolist()) and len(set(map(tuple, seeds.tolist()))) == 5
    runs = [lloyd(x, x[rows], metric) for rows in seeds]
    found = kmeans(x, 4, n_init=5, seed=3, metric=metric, init='random')
    best = min(runs, key=lambda run: run.inertia)
    assert found.inertia == pytest.approx(best.inertia, abs=1e-9) and torch.equal(found.labels, best.labels)
    assert max(run.inertia for run in runs) > best.inertia + 1e-6
    drawn = torch.bincount(random_seeds(6, 2, 3000, seed=0).flatten(), minlength=6)
    assert drawn.sum() == 6000 and (drawn - 1000).abs().max() < 120
    assert random_seeds(3, 5, 2, seed=0).shape == (2, 5), 'fewer rows than clusters repeat'
    with pytest.raises(ValueError, match="'random' or None .*got 'rnd'"):
        kmeans(x, 4, init='rnd')


def loop_assign(rows: np.ndarray, centers: np.ndarray, metric: str) -> tuple[list[int], float]:
    """Nearest centre of every row, first on ties, and the summed distance."""
    labels, total = [], 0.0
    for row in rows:
        distances = [far(row, center, metric) for center in centers]
        best = min(range(len(centers)), key=lambda j: (round(distances[j], 12), j))
        labels.append(best)
        total += distances[best]
    return labels, total


def loop_lloyd(x: Tensor, init: Tensor, metric: str, max_iter: int, tol: float) -> dict:
    """Transcription of the iteration, one row at a time."""
    rows = np.array([unit(row) if metric == 'cosine' else row for row in x.numpy()])
    centers = init.numpy().copy()
    labels, _ = loop_assign(rows, centers, metric)
    limit = tol * rows.var(axis=0, ddof=1).mean()
    best = None
    for n_iter in range(1, max_iter + 1):
        old, old_labels = centers.copy(), labels
        for j in range(len(centers)):
            members = [row for row, label in zip(rows, labels) if label == j]
            if members:
                centers[j] = np.mean(members, axis=0)
            elif metric == 'cosine':
                centers[j] = 0
        labels, inertia = loop_assign(rows, centers, metric)
        if best is None or inertia < best['inertia']:
            best = dict(inertia=inertia, labels=labels, centers=centers.copy())
        if labels == old_labels or sum(far(a, b, metric) for a, b in zip(old, centers)) <= limit:
            break
    return dict(best, n_iter=n_iter)


def same(result, expected: dict) -> None:
    assert result.labels.tolist() == expected['labels']
    assert result.n_iter == expected['n_iter']
    assert result.inertia == pytest.approx(expected['inertia'], rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(result.centers.numpy(), expected['centers'], atol=1e-10)
    assert result.counts.tolist() == np.bincount(expected['labels'], minlength=len(result.centers)).tolist()


@pytest.mark.parametrize('metric', METRICS)
@pytest.mark.parametrize('max_iter,tol', [(1, 1e-4), (3, 0.0), (300, 1e-4), (300, 0.5)])
@pytest.mark.parametrize('seed', [0, 1, 2])
def test_lloyd_equals_the_loop(metric: str, max_iter: int, tol: float, seed: int) -> None:
    x = blobs(60, 4, 3, 1.5, seed)
    init = x[torch.randperm(60, generator=torch.Generator().manual_seed(seed))[:5]]
    same(lloyd(x, init, metric, max_iter, tol), loop_lloyd(x, init, metric, max_iter, tol))


@pytest.mark.parametrize('metric', METRICS)
def test_lloyd_with_an_empty_cluster_equals_the_loop(metric: str) -> None:
    x = blobs(50, 3, 2, 0.3)
    init = torch.cat([x[:2], -50 * x.mean(0, keepdim=True)])
    same(lloyd(x, init, metric), loop_lloyd(x, init, metric, 300, 1e-4))


def test_an_empty_cosine_cluster_is_zero_and_catches_rows_turned_away_from_all_centres() -> None:
    x = torch.tensor([[1., .1], [1., -.1], [-1., 0.]], dtype=torch.float64)
    result = lloyd(x, torch.tensor([[1., 0.], [0., 0.]], dtype=torch.float64), max_iter=0)
    assert result.labels.tolist() == [0, 0, 1] and result.n_iter == 0
    result = lloyd(x[:2], torch.tensor([[1., 0.], [-1., 0.]], dtype=torch.float64))
    assert result.centers[1].tolist() == [0, 0] and result.counts.tolist() == [2, 0]


def test_an_empty_euclidean_cluster_keeps_its_centre() -> None:
    x = torch.tensor([[0., 0.], [1., 0.]], dtype=torch.float64)
    result = lloyd(x, torch.tensor([[0., 0.], [9., 9.]], dtype=torch.float64), 'euclidean')
    torch.testing.assert_close(result.centers, torch.tensor([[.5, 0.], [9., 9.]], dtype=torch.float64))


def test_the_best_iteration_is_returned_though_a_later_one_is_worse() -> None:
    worse = 0
    for seed in range(40):
        generator = torch.Generator().manual_seed(seed)
        x, init = (torch.randn(n, 2, generator=generator, dtype=torch.float64) for n in (12, 4))
        expected = loop_lloyd(x, init, 'cosine', 300, 0.0)
        result = lloyd(x, init, 'cosine', tol=0.0)
        same(result, expected)
        last = lloyd(x, init, 'cosine', 1, 0.0).inertia
        worse += last < result.inertia - 1e-12
    assert worse == 0


@pytest.mark.parametrize('metric', METRICS)
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_ties_and_equal_centres_go_to_the_first(metric: str, dtype: torch.dtype) -> None:
    angle = torch.tensor([.3, 1.1], dtype=torch.float64)
    centers = torch.stack([angle.cos(), angle.sin()], 1)[[0, 1, 0, 1, 0]]
    middle = torch.stack([angle.mean().cos(), angle.mean().sin()])
    x = torch.cat([middle[None], centers]).to(dtype)
    result = lloyd(x, centers.to(dtype), metric, max_iter=0)
    assert result.labels.tolist() == [0, 0, 1, 0, 1, 0]


@pytest.mark.parametrize('metric', METRICS)
@pytest.mark.parametrize('k', [2, 4, 40])
def test_chunks_and_restarts_side_by_side_change_nothing(metric: str, k: int) -> None:
    x = blobs(150, 5, 4, 1.0)
    whole = kmeans(x, k, n_init=4, metric=metric, seed=3)
    for chunk_size in (1, 7, 150, 1000):
        part = kmeans(x, k, n_init=4, metric=metric, seed=3, chunk_size=chunk_size)
        assert torch.equal(part.labels, whole.labels) and part.n_iter == whole.n_iter
        torch.testing.assert_close(part.centers, whole.centers)


@pytest.mark.parametrize('metric', METRICS)
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('k', [1, 5, 12, 40])
def test_skipping_settled_rows_changes_nothing(monkeypatch: pytest.MonkeyPatch, metric: str, dtype: torch.dtype,
                                               k: int) -> None:
    x = torch.cat([blobs(400, 6, 12, 1.2), torch.zeros(3, 6, dtype=torch.float64)]).to(dtype)
    results = []
    for share in (-1.0, 0.3, 1.0):                  # all rows in every pass, as it comes, only the doubtful ones
        monkeypatch.setattr('mmcluster.functional.clustering.assign.PRUNED_SHARE', share)
        results.append(kmeans(x, k, n_init=3, metric=metric, tol=0.0, seed=4))
    for result in results[1:]:
        assert torch.equal(result.labels, results[0].labels) and result.n_iter == results[0].n_iter
        assert torch.equal(result.counts, results[0].counts)
        torch.testing.assert_close(result.centers, results[0].centers)
        assert result.inertia == pytest.approx(results[0].inertia, rel=1e-5)


def test_restarts_equal_runs_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    x = blobs(200, 8, 12, 1.5)
    many = [kmeans(x, 12, n_init=n, seed=2).inertia for n in (1, 2, 4, 8)]
    assert many == sorted(many, reverse=True) and many[0] > many[-1]
    together = kmeans(x, 12, n_init=8, seed=2)
    monkeypatch.setattr('mmcluster.functional.clustering.kmeans.SEED_DISTANCES', 1)
    alone = kmeans(x, 12, n_init=8, seed=2)
    assert torch.equal(together.labels, alone.labels) and together.n_iter == alone.n_iter


def test_seed_decides_and_the_global_state_stays() -> None:
    x = blobs(100, 3, 3, 2.0)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, two = kmeans(x, 7, n_init=1, seed=1), kmeans(x, 7, n_init=1, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    three = kmeans(x, 7, n_init=1, seed=1)
    assert torch.equal(one.labels, two.labels) and torch.equal(one.labels, three.labels)
    assert any(not torch.equal(one.labels, kmeans(x, 7, n_init=1, seed=seed).labels) for seed in range(2, 6))


def test_euclidean_objective_is_as_good_as_scikit_learn() -> None:
    for seed in range(3):
        x = blobs(400, 8, 6, 1.0, seed)
        ours = kmeans(x, 6, metric='euclidean', seed=seed)
        theirs = KMeans(6, n_init=10, tol=1e-4, random_state=seed).fit(x.numpy())
        assert ours.inertia <= theirs.inertia_ * 1.002
        from_theirs = lloyd(x, torch.from_numpy(theirs.cluster_centers_), 'euclidean')
        assert from_theirs.inertia == pytest.approx(theirs.inertia_, rel=1e-4)


def test_spherical_equals_euclidean_partitions_of_unit_rows_when_groups_are_clear() -> None:
    x = F.normalize(blobs(120, 8, 4, 0.1), dim=1)
    cosine, euclidean = (kmeans(x, 4, metric=metric) for metric in METRICS)
    assert torch.equal(cosine.labels[:, None] == cosine.labels, euclidean.labels[:, None] == euclidean.labels)


def test_cosine_ignores_row_lengths_and_euclidean_ignores_shifts() -> None:
    x = blobs(100, 4, 3, 1.0)
    length = torch.linspace(.1, 9, 100, dtype=torch.float64)[:, None]
    assert torch.equal(kmeans(x, 3).labels, kmeans(x * length, 3).labels)
    near, away = kmeans(x, 3, metric='euclidean'), kmeans(x.float() + 3000, 3, metric='euclidean')
    assert torch.equal(near.labels, away.labels)
    assert away.inertia == pytest.approx(near.inertia, rel=1e-3)


@pytest.mark.parametrize('metric', METRICS)
def test_permuting_rows_permutes_labels(metric: str) -> None:
    x = blobs(80, 4, 4, 1.0)
    order = torch.randperm(80, generator=torch.Generator().manual_seed(0))
    one, two = lloyd(x, x[:4], metric), lloyd(x[order], x[:4], metric)
    assert torch.equal(one.labels[order], two.labels)
    assert one.inertia == pytest.approx(two.inertia)


@pytest.mark.parametrize('metric', METRICS)
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int32])
def test_types(metric: str, dtype: torch.dtype) -> None:
    x = (blobs(60, 4, 3, 0.2) * 10).to(dtype)
    result = kmeans(x, 3, metric=metric)
    assert result.centers.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert result.labels.dtype == result.counts.dtype == torch.int64
    assert result.counts.tolist() == [20, 20, 20]
    assert torch.equal(center_similarity(x, result.centers, metric).argmax(1), result.labels)


def test_autocast_and_gradients_stay_outside() -> None:
    x = blobs(60, 4, 3, 1.0).float().requires_grad_()
    plain = kmeans(x, 5)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        mixed = kmeans(x, 5)
        similarity = center_similarity(x, plain.centers)
    assert torch.equal(plain.labels, mixed.labels) and not plain.centers.requires_grad
    assert similarity.dtype == torch.float32


@pytest.mark.parametrize('metric', METRICS)
def test_one_cluster_and_as_many_clusters_as_rows(metric: str) -> None:
    x = blobs(9, 3, 3, 1.0)
    one = kmeans(x, 1, metric=metric)
    rows = F.normalize(x, dim=1) if metric == 'cosine' else x
    torch.testing.assert_close(one.centers, rows.mean(0, keepdim=True))
    every = kmeans(x, 9, metric=metric)
    assert sorted(every.labels.tolist()) == list(range(9)) and every.inertia == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize('metric', METRICS)
@pytest.mark.parametrize('x', [torch.zeros(0, 3), torch.zeros(1, 3), torch.zeros(7, 3), torch.ones(7, 3),
                               torch.eye(3)[[0, 0, 0, 1, 1]],
                               torch.tensor([[1., 2., 3.], [-1., -2., -3.]]), torch.full((5, 3), 1e30)])
def test_degenerate_rows_never_raise(metric: str, x: Tensor) -> None:
    for k in (1, 2, 5):
        for result in (kmeans(x, k, n_init=2, metric=metric), lloyd(x, torch.zeros(k, 3), metric)):
            assert result.labels.shape == (len(x),) and result.centers.shape == (k, 3)
            assert int(result.counts.sum()) == len(x)
            assert ((result.labels >= 0) & (result.labels < k)).all()
        assert center_similarity(x, torch.ones(k, 3), metric).shape == (len(x), k)


def test_duplicates_count_like_weights() -> None:
    x = torch.eye(3, dtype=torch.float64)[[0, 0, 0, 1, 1, 2]]
    result = kmeans(x, 3)
    assert sorted(result.counts.tolist()) == [1, 2, 3] and result.inertia == pytest.approx(0, abs=1e-12)


def loop_seeds(x: Tensor, k: int, first: int, uniforms: Tensor, metric: str) -> list[int]:
    """Greedy k-means++ one row at a time."""
    rows, chosen = x.numpy(), [first]
    closest = [far(row, rows[first], metric) for row in rows]
    for step in uniforms.tolist():
        best = None
        for u in step:
            total, running, candidate = sum(closest), 0.0, len(rows) - 1
            for j, value in enumerate(closest):
                running += value
                if running >= u * total:
                    candidate = j
                    break
            trial = [min(value, far(row, rows[candidate], metric)) for row, value in zip(rows, closest)]
            if best is None or sum(trial) < sum(best[1]) - 1e-12:
                best = candidate, trial
        chosen.append(best[0])
        closest = best[1]
    return chosen


@pytest.mark.parametrize('metric', METRICS)
@pytest.mark.parametrize('n,k', [(40, 1), (40, 6), (12, 12)])
def test_seeding_equals_the_loop(metric: str, n: int, k: int) -> None:
    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        x = blobs(n, 3, 3, 1.0, seed)
        uniforms = torch.rand(k - 1, num_trials(k), generator=generator, dtype=torch.float64)
        chosen = seed_restarts(Space.of(x, metric), torch.tensor([5]), uniforms[None])[0]
        assert chosen.tolist() == loop_seeds(x, k, 5, uniforms, metric)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_seeding_finds_every_distinct_row_first(dtype: torch.dtype) -> None:
    x = F.normalize(blobs(4, 7, 4, 1.0), dim=1)[torch.arange(40) % 4].to(dtype)
    uniforms = torch.rand(5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    chosen = seed_restarts(Space.of(x, 'cosine'), torch.tensor([2]), uniforms[None])[0]
    assert sorted((chosen[:4] % 4).tolist()) == [0, 1, 2, 3]
    assert chosen[4:].tolist() == [0, 0]            # nothing is left: the first row whose mass reaches 0


def test_number_of_trials() -> None:
    assert [num_trials(k) for k in (1, 2, 3, 7, 8, 20, 1000)] == [2, 2, 3, 3, 4, 4, 8]


@pytest.mark.parametrize('metric', METRICS)
def test_center_similarity(metric: str) -> None:
    x, centers = blobs(30, 4, 3, 1.0), blobs(5, 4, 3, 1.0, seed=9)
    expected = [[(1 if metric == 'cosine' else 0) - far(a, b, metric) for b in centers.numpy()] for a in x.numpy()]
    torch.testing.assert_close(center_similarity(x, centers, metric), torch.tensor(expected, dtype=torch.float64))
    assert center_similarity(x, torch.zeros(2, 4)).abs().max() == 0


def test_unknown_metric_is_named() -> None:
    with pytest.raises(ValueError, match='manhattan'):
        kmeans(torch.ones(3, 2), 2, metric='manhattan')


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs an accelerator')
@pytest.mark.parametrize('metric', METRICS)
def test_accelerator_agrees_with_the_host(metric: str) -> None:
    x = blobs(300, 8, 5, 1.0)
    host, device = kmeans(x, 5, metric=metric), kmeans(x.cuda(), 5, metric=metric)
    assert device.labels.is_cuda and torch.equal(host.labels, device.labels.cpu())


@pytest.mark.parametrize('k', [33, 64, 300])
@pytest.mark.parametrize('tie', [0.0, 1e-3])
def test_many_centres_are_looked_at_in_groups(k: int, tie: float) -> None:
    """With equal scores within a group and across groups."""
    near = torch.randn(2, k, 50)
    near[:, k - 1, :10] = near[:, 0, :10] = near[:, 1, :10] = 5
    near[:, [3, 40 % k], 10:20] = 4
    found = choose(near, tie)
    for row, label, gap in zip(near.transpose(1, 2).flatten(0, 1), found.label.flatten(), found.gap.flatten()):
        first = next(j for j, score in enumerate(row) if score >= row.max() - tie)
        assert label == first and gap == row.max() - torch.cat([row[:first], row[first + 1:]]).max() - SAFE * tie


@pytest.mark.parametrize('spread', [0.05, 1.0, 30.0])
def test_coarse_scores_change_no_label(monkeypatch: pytest.MonkeyPatch, spread: float) -> None:
    """Clear and hopeless clusters, and centres that are equal; the gap is at most the true one."""
    monkeypatch.setattr('mmcluster.functional.clustering.decide._fast', lambda device: True)
    monkeypatch.setattr('mmcluster.functional.clustering.decide.COARSE', 40)
    x = F.normalize(blobs(600, 32, 40, spread).float(), dim=1)
    weight = torch.stack([x[:40], x[40:80]])
    weight[0, 30] = weight[0, 7]
    weight[1, 5] = 0
    ready, exact = ScoringCenters.of(weight, None, 1e-6), choose(scores(x, weight, None), 1e-6)
    found = ready.choose(x)
    assert ready.coarse is not None and torch.equal(found.label, exact.label)
    assert (found.gap <= exact.gap + 1e-6).all()
    assert ((found.gap > 1e-6).float().mean() > 0.5) or spread > 1
    assert torch.equal(ready.restart(1).choose(x).label[0], found.label[1])
    assert ScoringCenters.of(weight.double(), None, 1e-6).coarse is None and ScoringCenters.of(weight, x[:2], 0.).coarse is None


def test_distances_of_centres_come_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest ones, without all K x K of every restart at once."""
    monkeypatch.setattr('mmcluster.functional.clustering.decide._fast', lambda device: True)
    weight = torch.randn(2, 300, 16, generator=torch.Generator().manual_seed(0))
    whole = ScoringCenters.of(weight, None, 1e-6)
    sizes, cdist = [], torch.cdist
    monkeypatch.setattr('mmcluster.functional.clustering.decide.DISTANCES', 2 * 300 * 40)
    monkeypatch.setattr(torch, 'cdist', lambda *args: sizes.append((found := cdist(*args)).numel()) or found)
    blocks = ScoringCenters.of(weight, None, 1e-6)
    assert max(sizes) == 2 * 300 * 40 and len(sizes) == 2 * 8
    torch.testing.assert_close(blocks.spread, whole.spread)
    torch.testing.assert_close(blocks.error, whole.error)
    torch.testing.assert_close(whole.spread, 1.01 * cdist(weight.bfloat16().float(), weight.bfloat16().float()).amax((1, 2)))


@pytest.mark.parametrize('k', [5, 40])
@pytest.mark.parametrize('length', [1e3, 1e4, 1e5])
def test_one_far_row_takes_no_digits_of_the_others(length: float, k: int) -> None:
    """In float32: labels, seeding, inertia and similarities beside a row that is up to 10,000 times as long."""
    x = torch.cat([blobs(1200, 8, k - 1, 0.3), torch.full((1, 8), length / 8 ** 0.5, dtype=torch.float64)]).float()
    centers = torch.stack([x[j:-1:k - 1].double().mean(0) for j in range(k - 1)] + [x[-1].double()])
    truth = torch.cdist(x.double(), centers, compute_mode='donot_use_mm_for_euclid_dist').square()
    given = lloyd(x, centers.float(), 'euclidean', max_iter=0)
    assert (given.labels == truth.argmin(1)).float().mean() > 0.999
    assert given.inertia == pytest.approx(float(truth.amin(1).sum()), rel=1e-3)
    near = center_similarity(x, centers, 'euclidean')[:-1, :-1]
    torch.testing.assert_close(near.double(), -truth[:-1, :-1], rtol=1e-3, atol=1e-4)
    found, reference = kmeans(x, k, 5, metric='euclidean'), KMeans(k, n_init=5, random_state=0).fit(x.double().numpy())
    assert found.counts.amin() == 1 and found.counts[found.labels[-1]] == 1
    assert found.inertia == pytest.approx(reference.inertia_, rel=0.1)
    assert k > 5 or len(set(zip(found.labels.tolist(), reference.labels_.tolist()))) == 5


def test_a_cluster_that_has_lost_its_rows_points_nowhere() -> None:
    """In float32: its sum is what rounding left of it. With a zero centre it catches the rows that turn away from all."""
    def around(degrees: float, rows: int, spread: float = 0.003) -> Tensor:
        angle = torch.tensor(degrees).deg2rad()
        plane = torch.stack([angle.cos(), angle.sin()] if degrees < 360 else [angle * 0, angle * 0])
        away = torch.tensor([0. if degrees < 360 else 1., *[0.] * 5])
        return torch.cat([plane, away]) + spread * torch.randn(rows, 8, generator=generator)

    emptied = 0
    for seed in range(6):
        generator = torch.Generator().manual_seed(seed)
        x = torch.cat([around(40, 10), around(-40, 10), around(55, 100), around(-55, 100), around(360, 1500),
                       around(152, 8, .05)])
        init = torch.cat([around(angle, 1, 0.) for angle in (0, 90, -90, 360)])
        found, exact = lloyd(x, init), lloyd(x.double(), init.double())
        assert torch.equal(found.labels, exact.labels) and found.inertia == pytest.approx(exact.inertia, rel=1e-2)
        emptied += int(exact.counts[0]) == 8
    assert emptied > 2


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('metric', METRICS)
def test_of_restarts_one_that_fits_exactly_counts(metric: str, dtype: torch.dtype) -> None:
    """Rounding may put its inertia below 0."""
    for seed in range(12):
        x = torch.randn(3, 8, generator=torch.Generator().manual_seed(seed)).repeat_interleave(100, 0).to(dtype)
        alone = min(lloyd(x, x[rows], metric).inertia for rows in random_seeds(300, 3, 10, seed))
        assert kmeans(x, 3, seed=seed, init='random', metric=metric).inertia == pytest.approx(alone, abs=1e-3)
