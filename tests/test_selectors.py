"""Label selectors: the cluster centres and the head's probabilities say which rows are trusted."""
import pytest
import torch
from torch.nn import functional as F

from mmcluster.functional.clustering.kmeans import kmeans
from mmcluster.functional.losses.ruc import clean_rows
from mmcluster.registry import LABEL_SELECTORS
from mmcluster.selectors import CentroidDistance, FirstRows, HybridClean, ProbabilityVariance, RandomRows

pytestmark = pytest.mark.usefixtures('engine')
N, D, K = 62, 5, 4


def rows(seed=0):
    """Blobs of different norms and unequal sizes."""
    generator = torch.Generator().manual_seed(seed)
    blob = torch.tensor([0] * 30 + [1] * 17 + [2] * 12 + [3] * 3)[torch.randperm(N, generator=generator)]
    embed = torch.eye(K, D)[blob] + 0.2 * torch.randn(N, D, generator=generator)
    return embed * (0.5 + 3 * torch.rand(N, 1, generator=generator)), blob


def first_of_each(key, label, count):
    """Targets (N,): the ``count`` smallest keys of every cluster."""
    target = torch.full((len(label),), -1)
    for cluster in range(K):
        members = sorted((i for i in range(len(label)) if label[i] == cluster), key=lambda i: (float(key[i]), i))
        target[members[:count]] = cluster
    return target


@pytest.mark.parametrize('distance', ['cosine', 'euclidean'])
@pytest.mark.parametrize('to', ['assigned', 'nearest'])
def test_rows_next_to_their_centre(distance, to):
    embed, _ = rows()
    result = kmeans(embed, K, n_init=3, seed=2)
    target = CentroidDistance(num_clusters=K, sigma=0.3, distance=distance, to=to, n_init=3, seed=2)(embed)
    centers = result.centers.double()
    if distance == 'cosine':
        far = 1 - F.normalize(embed.double(), dim=1) @ F.normalize(centers, dim=1).T
    else:
        far = (embed.double()[:, None] - centers).norm(dim=2)
    key = far.min(1).values if to == 'nearest' else far[torch.arange(N), result.labels]
    assert torch.equal(target, first_of_each(key, result.labels, int(0.3 * N / K)))
    assert target.dtype == torch.long and target.shape == (N,)


def test_distances_select_different_rows():
    """Both options matter on rows of different norms."""
    embed, _ = rows()
    found = {tuple((CentroidDistance(0.3, K, distance, to)(embed) >= 0).tolist())
             for distance, to in (('cosine', 'assigned'), ('euclidean', 'assigned'))}
    assert len(found) == 2


def test_small_clusters_give_all_they_have():
    embed, blob = rows()
    target = CentroidDistance(num_clusters=K, sigma=0.5)(embed)
    sizes = torch.bincount(target[target >= 0], minlength=K).sort().values
    assert sizes.tolist() == [3, 7, 7, 7]                       # floor(0.5 * 62 / 4) = 7
    for cluster in range(K):
        assert len(blob[target == cluster].unique()) == 1, 'well separated blobs are clusters'


def test_everything():
    embed, _ = rows()
    assert (CentroidDistance(num_clusters=K, sigma=1.)(embed) >= 0).sum() < N      # the largest cluster is cut at floor(N / K)


def test_selection_is_repeatable_and_uses_its_seed():
    embed = torch.randn(N, D, generator=torch.Generator().manual_seed(1))
    first = CentroidDistance(0.3, K, n_init=1, seed=3)(embed)
    assert torch.equal(CentroidDistance(0.3, K, n_init=1, seed=3)(embed), first)
    assert any(not torch.equal(CentroidDistance(0.3, K, n_init=1, seed=seed)(embed), first) for seed in range(4, 8))


@pytest.mark.parametrize('sigma', [0.1, 0.29, 1.])
def test_rows_whose_probabilities_vary_most(sigma):
    prob = (2 * torch.randn(100, K, generator=torch.Generator().manual_seed(0))).softmax(1)
    variance = prob.double().var(1, unbiased=False)
    target = ProbabilityVariance(sigma)(None, prob)
    assert torch.equal(target, first_of_each(-variance, prob.argmax(1), round(sigma * 100) // K))


def test_renaming_classes_renames_targets():
    prob = (2 * torch.randn(100, K, generator=torch.Generator().manual_seed(0))).softmax(1)
    order = torch.tensor([2, 0, 3, 1])
    target, renamed = ProbabilityVariance(0.4)(None, prob), ProbabilityVariance(0.4)(None, prob[:, order])
    chosen = target >= 0
    assert torch.equal(renamed >= 0, chosen) and torch.equal(order[renamed[chosen]], target[chosen])


def test_random_rows_of_each_cluster():
    """Of arg-max classes, or of k-means clusters; the draw depends on the seed alone."""
    prob = (2 * torch.randn(100, K, generator=torch.Generator().manual_seed(0))).softmax(1)
    target, label = RandomRows(0.2, K)(None, prob), prob.argmax(1)
    chosen = target >= 0
    assert torch.bincount(target[chosen]).tolist() == [5] * K and torch.equal(target[chosen], label[chosen])
    assert torch.equal(RandomRows(0.2, K)(None, prob), target)
    assert not torch.equal(RandomRows(0.2, K, seed=1)(None, prob), target)
    assert not torch.equal(ProbabilityVariance(0.2)(None, prob), target)
    embed, blob = rows()
    target = RandomRows(0.2, K)(embed)
    assert all(len(blob[target == cluster].unique()) == 1 for cluster in range(K))


@pytest.mark.parametrize('sigma', [0, -0.1, 1.01])
@pytest.mark.parametrize('selector', [lambda sigma: CentroidDistance(sigma, K), ProbabilityVariance, RandomRows])
def test_sigma_is_a_share(selector, sigma):
    with pytest.raises(ValueError, match=rf'in \(0, 1\]; got {sigma}'):
        selector(sigma)


def test_each_selector_names_the_output_it_needs():
    with pytest.raises(ValueError, match="output='embed'"):
        CentroidDistance(0.3, K)(None, torch.rand(N, K))
    with pytest.raises(ValueError, match="output='head_probs'"):
        ProbabilityVariance(0.3)(torch.rand(N, D), None)


@pytest.mark.parametrize('options', [dict(distance='manhattan'), dict(to='any')])
def test_unknown_distances(options):
    with pytest.raises(ValueError, match=f'CentroidDistance: {next(iter(options))} must be one of'):
        CentroidDistance(0.3, K, **options)         # before anything trains


def test_they_are_registered():
    selector = LABEL_SELECTORS.build(dict(type='CentroidDistance', num_clusters=K, sigma=0.3, n_init=3))
    assert torch.equal(selector(rows()[0]), CentroidDistance(0.3, K, n_init=3)(rows()[0]))
    assert isinstance(LABEL_SELECTORS.build(dict(type='ProbabilityVariance', sigma=0.3)), ProbabilityVariance)


# ---- a part of the data set

def test_first_rows_alone_are_selected():
    embed, _ = rows()
    options = dict(type='CentroidDistance', num_clusters=K, sigma=0.5, n_init=3)
    selector = FirstRows(40, options)
    target = selector(embed)
    assert selector.num_clusters == K and torch.equal(target[:40], LABEL_SELECTORS.build(options)(embed[:40]))
    assert (target[:40] >= 0).any() and bool((target[40:] == -1).all()) and target.shape == (N,)
    moved = embed.clone()
    moved[40:] = moved[40:].flip(0) * 7
    assert torch.equal(selector(moved), target), 'other rows have no part in it'


def test_first_rows_by_probability():
    prob = torch.rand(N, K, generator=torch.Generator().manual_seed(0)).softmax(1)
    selector = FirstRows(N, dict(type='ProbabilityVariance', sigma=0.5))
    assert selector.num_clusters is None
    assert torch.equal(selector(None, prob), ProbabilityVariance(0.5)(None, prob))


def test_first_rows_of_a_smaller_data_set():
    options = dict(type='ProbabilityVariance', sigma=0.5)
    with pytest.raises(ValueError, match='has 62 rows; lower it'):
        FirstRows(N + 1, options)(None, torch.rand(N, K))
    with pytest.raises(ValueError, match='at least 1'):
        FirstRows(0, options)


# ---- RUC

@pytest.mark.parametrize('how', ['confidence', 'metric', 'hybrid'])
def test_clean_rows_have_the_label_of_the_clustering(how):
    embed, blob = rows()
    logits = 4 * F.one_hot(blob, K) + 2 * torch.randn(N, K, generator=torch.Generator().manual_seed(1))
    target = HybridClean(K, how, threshold=0.9, k=7)(None if how == 'confidence' else embed, logits.softmax(1))
    keep, label = clean_rows(logits, embed, logits.argmax(1), how, 0.9, 7), logits.argmax(1)
    assert torch.equal(target, torch.where(keep, label, -1)) and 0 < keep.sum() < N


def test_clean_rows_of_certain_probabilities():
    """Some are 0."""
    prob = F.one_hot(torch.arange(N) % K, K).float()
    assert torch.equal(HybridClean(K, 'confidence')(None, prob), torch.arange(N) % K)


@pytest.mark.parametrize('given, problem', [
    ((None, torch.full((N, K), 1 / K)), 'use a SelectHook with'), ((torch.ones(N, 2), None), 'use a SelectHook with'),
    ((torch.ones(N, 2), torch.full((N, 3), 1 / 3)), 'num_clusters=4, the head 3'),
    ((torch.ones(9, 2), torch.full((9, K), 1 / K)), '10 neighbours are asked of 9 rows')])
def test_what_clean_rows_need(given, problem):
    with pytest.raises(ValueError, match=problem):
        HybridClean(K, k=10)(*given)


@pytest.mark.parametrize('options', [dict(how='both'), dict(k=0), dict(num_clusters=1)])
def test_wrong_options_of_clean_rows(options):
    with pytest.raises(ValueError, match='HybridClean'):
        HybridClean(**{**dict(num_clusters=K), **options})
