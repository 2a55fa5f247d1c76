"""Arrays of figures, by hand and by slow loops."""
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mmcluster.visualization import Seen, layout, members, neighbors_of, odd_queries
from mmcluster.visualization import seen as analyses


@pytest.fixture
def groups():
    """Three groups of 20, 20 and 10 images in (50, 4), and their classes."""
    torch.manual_seed(0)
    truth = torch.tensor([0] * 20 + [1] * 20 + [2] * 10)
    return torch.eye(4)[truth] * 5 + 0.3 * torch.randn(50, 4), truth


def seen(embed, cluster, truth, num_clusters=3):
    return Seen('x', embed, torch.nn.functional.one_hot(cluster, num_clusters).float(), truth)


def test_purity_falls_where_the_far_ones_are_wrong(groups):
    embed, truth = groups
    cluster = truth.clone()
    cluster[40:43] = 0                      # three of the third class, far from the centre of the first cluster
    found = analyses.purity(seen(embed, cluster, truth), 4)
    assert found['purity'][0] == 1 > found['purity'][-1] and found['rows'].sum() == 50
    assert np.allclose(found['rank'], [0.125, 0.375, 0.625, 0.875])
    assert np.isnan(analyses.purity(seen(embed[:2], cluster[:2], truth[:2]), 3)['purity']).tolist() == [0, 0, 1]
    with pytest.raises(ValueError, match='needs the class of the images'):
        analyses.purity(seen(embed, cluster, None))


def test_sizes_stand_in_the_order_of_their_classes(groups):
    embed, truth = groups
    names = torch.tensor([2, 0, 1])         # class -> cluster
    cluster = names[truth]
    cluster[:4] = 3                         # a fourth cluster matches no class
    found = analyses.sizes(seen(embed, cluster, truth, 4))
    assert {key: value.tolist() for key, value in found.items()} == dict(
        cluster=[2, 0, 1, 3], size=[16, 20, 10, 4], class_size=[20, 20, 10, 0])
    found = analyses.sizes(seen(embed, cluster, None, 4))
    assert found['cluster'].tolist() == [0, 2, 1, 3] and not found['class_size'].any()


def test_clusters_have_the_names_of_their_classes(groups):
    embed, truth = groups
    cluster = torch.tensor([2, 3, 0])[truth]
    cluster[0] = 1
    found = analyses.named(seen(embed, cluster, truth, 4))
    assert torch.equal(found[1:], truth[1:]) and found[0] == 3, 'beyond the classes'
    assert torch.equal(analyses.named(seen(embed, cluster, None, 4)), cluster)


def test_steadiness_and_preservation(groups):
    embed, truth = groups
    found = analyses.steadiness(seen(embed, truth, truth))
    unit = torch.nn.functional.normalize(embed, dim=1)
    assert found['std'] == pytest.approx(float(unit.std(0).mean())) and found['ideal'] == 0.5
    assert found['imbalance'] == 0.5
    kept = analyses.preservation(seen(embed, truth, truth), (0., 1000.), draws=5)
    assert kept['rate'][0] == 1 and kept['rate'][1] < 0.8
    assert kept['norm'] == pytest.approx(float(embed.norm(dim=1).mean()))


def test_noise_of_labels_that_some_images_have():
    label, truth = torch.tensor([1, 1, 1, 0, -1, -1]), torch.tensor([0, 0, 1, 1, 0, 1])
    found = analyses.noise(label, truth)
    assert found['noise'] == 0.25 and found['share'] == pytest.approx(4 / 6)
    assert analyses.noise(torch.full((3,), -1), torch.tensor([0, 1, 1]))['share'] == 0


def test_pseudo_labels_above_a_threshold():
    score = torch.tensor([[.9, .1], [.8, .2], [.4, .6], [.3, .7], [.05, .95]])
    one = Seen('x', torch.zeros(5, 2), score, torch.tensor([0, 1, 1, 1, -1]))
    found = analyses.confident(one, 0.7)
    assert found['share'] == pytest.approx(3 / 5) and found['accuracy'] == pytest.approx(2 / 3)
    assert np.isnan(analyses.confident(one, 0.99)['accuracy']) and analyses.confident(one, 0.99)['share'] == 0


def test_images_that_were_wrong_and_are_right():
    truth = torch.tensor([0, 0, 0, 1, 1, 1])
    before = seen(torch.zeros(6, 2), torch.tensor([1, 1, 0, 0, 0, 1]), truth, 2)      # cluster 1 is class 0
    after = Seen('y', torch.zeros(6, 2), torch.tensor([[.9, .1], [.9, .1], [.6, .4], [.1, .9], [.1, .9], [.2, .8]]), truth)
    found = analyses.changed(before, after)
    assert found['row'].tolist() == [5, 2], 'the surest first'
    assert found['before'].tolist() == [0, 1] and found['after'].tolist() == [1, 0]
    blind = analyses.changed(before._replace(truth=None), after._replace(truth=None))
    assert sorted(blind['row'].tolist()) == [2, 5]


def test_members_near_far_and_drawn(groups):
    embed, truth = groups
    truth = truth.clone()
    truth[:3] = -1
    near, far = (members(embed, truth, 4, 12, how) for how in ('nearest', 'farthest'))
    unit = torch.nn.functional.normalize(embed, dim=1)
    for cluster in range(3):
        own = [row for row in range(50) if truth[row] == cluster]
        center = sum(unit[row] for row in own) / len(own)
        expected = sorted(own, key=lambda row: -float(unit[row] @ center))
        assert near[cluster].tolist() == (expected + [-1] * 12)[:12]
        assert far[cluster].tolist() == (expected[::-1] + [-1] * 12)[:12]
    assert (near[3] == -1).all()
    drawn = members(embed, truth, 3, 5, 'random', 1)
    assert torch.equal(drawn, members(embed, truth, 3, 5, 'random', 1)) and not torch.equal(drawn, near[:3, :5])
    assert (truth[drawn] == torch.arange(3)[:, None]).all()
    with pytest.raises(ValueError, match='how must be one of'):
        members(embed, truth, 3, 5, 'best')


def test_neighbours_without_the_query(groups):
    embed, truth = groups
    embed = torch.cat([embed, embed[:1]])       # a copy is a neighbour, the row itself is none
    found = neighbors_of(embed, torch.tensor([0, 7]), 3)
    unit = torch.nn.functional.normalize(embed, dim=1)
    for row, query in zip(found.tolist(), (0, 7)):
        assert row == sorted((i for i in range(51) if i != query), key=lambda i: -float(unit[i] @ unit[query]))[:3]
    assert found[0, 0] == 50 and neighbors_of(embed, torch.tensor([0]), 99).shape == (1, 50)
    moved = torch.zeros_like(embed)
    moved[7] = embed[45] - embed[7] + 1e-3
    assert neighbors_of(embed, torch.tensor([7]), 1, moved).item() == 45, 'the noise moves the query alone'


def test_queries_with_a_wrong_neighbour_come_up(groups):
    embed, truth = groups
    truth = torch.cat([truth, torch.tensor([1])])
    embed = torch.cat([embed, embed[:1] + 0.01])        # of class 1 among those of class 0
    odd = odd_queries(embed, truth, 50, k=3)
    assert 50 in odd and 0 in odd and all(truth[row] in (0, 1) for row in odd) and len(odd) < 30
    assert len(odd_queries(embed, None, 6)) == 6 and len(odd_queries(embed, torch.zeros(51).long(), 6)) == 0


def test_layouts(groups, monkeypatch):
    embed, truth = groups
    places = layout(embed, perplexity=100.)
    centers = np.stack([places[truth.numpy() == one].mean(0) for one in range(3)])
    assert (np.linalg.norm(places[:, None] - centers, axis=2).argmin(1) == truth.numpy()).mean() > 0.95
    asked = {}

    class UMAP:
        def __init__(self, **options):
            asked.update(options)

        def fit_transform(self, rows):
            return rows[:, :2].astype(np.float64)

    monkeypatch.setitem(sys.modules, 'umap', SimpleNamespace(UMAP=UMAP))
    found = layout(embed, 'umap', 10., 3)
    assert found.dtype == np.float32 and asked == dict(metric='cosine', n_neighbors=10, random_state=3)
    monkeypatch.setitem(sys.modules, 'umap', None)
    with pytest.raises(ImportError, match='pip install umap-learn'):
        layout(embed, 'umap')
    with pytest.raises(ValueError, match='method must be one of'):
        layout(embed, 'pca')
