"""SPICE's heads on points around ten directions: the label-free loss keeps a head that is about as good as any."""
import math

import pytest
import torch
from torch import nn

from mmcluster.functional.clustering.metrics import clustering_metrics
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

N, M, K, D, H = 3000, 1000, 10, 32, 10
FLOOR = math.log(math.e + K - 1) - 1


@pytest.fixture(scope='module', params=[0])
def trained(request):
    """Accuracy of each head after the last epoch, accuracy and loss of the kept one, sizes of its clusters."""
    generator = torch.Generator().manual_seed(request.param)
    torch.manual_seed(request.param)
    centers = nn.functional.normalize(torch.randn(K, D, generator=generator), dim=1)
    truth = torch.arange(N) % K
    points = centers[truth] + 0.241 * torch.randn(N, D, generator=generator)
    model = MODELS.build(dict(
        type='SPICE', bank=dict(num_samples=N), backbone=nn.Identity(),
        head=dict(type='MultiHead', num_heads=H, head=dict(type='MLPClusterHead', in_channels=D, num_clusters=K))))
    model.init_weights()
    model.bank.fill(feat=points)
    model.train()
    optimizer = torch.optim.Adam(model.head.parameters(), lr=0.005)
    for _ in range(20):
        for _ in range(3):
            rows = torch.randperm(N, generator=generator)[:M]
            views = [points[rows] + s * torch.randn(M, D, generator=generator) for s in (0.03, 0.1)]
            for step in model.steps([dict(batch=Batch(views, rows))]):
                optimizer.zero_grad()
                model.loss(**step)['loss_spice'].backward()
                optimizer.step()
        with torch.no_grad():
            logits = model.head(points).transpose(0, 1)
            model.keep_if_better(model.selection_losses(logits))
    label = model.eval().outputs(points)[1].argmax(1)
    accs = [clustering_metrics(truth.numpy(), logits[:, h].argmax(1).numpy())['acc'] for h in range(H)]
    return accs, clustering_metrics(truth.numpy(), label.numpy())['acc'], model.best_so_far.loss.item(), label


def test_the_kept_head_is_as_good_as_the_best(trained):
    accs, kept, _, _ = trained
    assert kept >= max(accs) - 0.02
    assert min(accs) < max(accs) - 0.1, 'there was something to choose'


def test_its_loss_is_near_the_floor_and_no_cluster_is_empty(trained):
    _, _, loss, label = trained
    assert FLOOR < loss < 1.55
    assert torch.bincount(label, minlength=K).min() > 0
