"""Instance classes in the order of their clusters, by hand."""
import torch

from mmcluster.functional.labels.transition import transition_similarity
from mmcluster.visualization import order_transitions

COUNTS = torch.tensor([[0, 1, 6, 0], [2, 0, 0, 9], [0, 0, 0, 1], [0, 5, 0, 0]])


def test_clusters_lie_together_and_busy_classes_first():
    found = order_transitions(COUNTS, torch.tensor([1, 0, 1, 0]))
    assert found.order.tolist() == [1, 3, 0, 2]             # 17, 15 transitions; 9 and 7
    assert found.starts == [0, 2] and found.clusters == [0, 1]
    expected = transition_similarity(COUNTS)
    for i, a in enumerate(found.order.tolist()):
        for j, b in enumerate(found.order.tolist()):
            assert found.similarity[i, j] == expected[a, b]
    assert found.similarity[0, 1] == 1 and torch.equal(found.similarity, found.similarity.t())


def test_other_norms_and_directions():
    found = order_transitions(COUNTS, torch.tensor([0, 0, 1, 1]), 'sym_degree', symmetric=False)
    expected = transition_similarity(COUNTS, 1, 'sym_degree', False)
    assert torch.equal(found.similarity, expected[found.order][:, found.order])
    assert not torch.equal(found.similarity, found.similarity.t())


def test_classes_without_a_cluster_come_last():
    found = order_transitions(COUNTS, torch.tensor([2, -1, 0, -1]))
    assert found.order.tolist() == [2, 0, 1, 3] and found.starts == [0, 1, 2] and found.clusters == [0, 2, -1]
    found = order_transitions(torch.zeros(3, 3, dtype=torch.long), torch.full((3,), -1))
    assert found.order.tolist() == [0, 1, 2] and found.starts == [0] and found.clusters == [-1]
    assert not found.similarity.any()
