"""Swapping the pseudo-label loss is one line of config: every one trains the same booster on a toy."""
import pytest
import torch
from mmengine.config import ConfigDict

from mmcluster.models import Boost
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

pytestmark = pytest.mark.usefixtures('engine')
N, K, D, LABELLED, STEPS = 80, 4, 12, 8, 40
CFG = ConfigDict(
    type='Boost', backbone=dict(type='SmallCNN', in_channels=1, widths=(6, D)), bank=dict(num_samples=N),
    head=dict(type='LinearClusterHead', in_channels=D, num_clusters=K), labeller=dict(type='SelectedLabels'),
    pseudo_label_loss=dict(type='FixMatchLoss', num_clusters=K))
# What is more than a change of `type`.
OPTIONS = dict(FlexMatchLoss={}, FreeMatchLoss=dict(decay=0.9), SoftMatchLoss=dict(decay=0.9),
               AdaMatchLoss=dict(decay=0.9), MutexMatchLoss=dict(in_channels=D), MixMatchLoss=dict(unsup_weight=5.),
               FixMatchLoss={}, ClusMatchLoss=dict(decay=0.9), ConfidenceLoss={})


def images(seed):
    """Noisy copies (N, 1, 8, 8) of four patterns."""
    generator = torch.Generator().manual_seed(seed)
    patterns = torch.randn(K, 1, 8, 8, generator=torch.Generator().manual_seed(99))
    return patterns[torch.arange(N) % K] + 0.4 * torch.randn(N, 1, 8, 8, generator=generator)


def train(model):
    """Losses of every step."""
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    found = []
    for step in range(STEPS):
        generator = torch.Generator().manual_seed(step)
        index = torch.randperm(N, generator=generator)[:24]
        streams = dict(unlabelled=Batch([images(2 * step)[index], images(2 * step + 1)[index]], index),
                       labelled=Batch([images(2 * step)[:LABELLED]], torch.arange(LABELLED)))
        losses = model(None, streams, mode='loss')
        total = sum(value for key, value in losses.items() if 'loss' in key)
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        found.append({key: float(value.detach()) for key, value in losses.items()})
    return found


@pytest.mark.parametrize('name', OPTIONS)
def test_every_loss_trains_the_same_booster(name):
    cfg = ConfigDict(CFG.copy())
    cfg.pseudo_label_loss = dict(type=name, num_clusters=K, **OPTIONS[name])
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    model.init_weights()
    assert isinstance(model, Boost) and {'target', *model.pseudo_label_loss.fields} == set(model.bank.fills)
    model.bank.fill(target=torch.where(torch.arange(N) < LABELLED, torch.arange(N) % K, -1))
    if 'label' in model.bank.fills:
        model.bank.fill(label=torch.arange(N) % K)
    before = {key: value.clone() for key, value in model.pseudo_label_loss.state_dict().items()}
    found = train(model.train())
    first, last = ([step['loss_sup'] for step in part] for part in (found[:5], found[-5:]))
    assert sum(last) < (0.7 if name == 'MixMatchLoss' else 0.3) * sum(first), 'mixed labels keep an entropy'
    assert all(not torch.equal(value, model.pseudo_label_loss.state_dict()[key]) for key, value in before.items()
               if 'p_target' not in key or name == 'AdaMatchLoss')
    accuracy = (model.eval().logits(images(1000)).argmax(1) == torch.arange(N) % K).float().mean()
    assert accuracy > 0.9, accuracy


@pytest.mark.parametrize('name', OPTIONS)
@pytest.mark.parametrize('number', [K - 1, K + 1])
def test_a_loss_for_another_number_of_clusters_is_refused(name, number):
    cfg = ConfigDict(CFG.copy())
    cfg.pseudo_label_loss = dict(type=name, num_clusters=number, **OPTIONS[name])
    with pytest.raises(ValueError, match=f'the head has num_clusters={K}, {name} has num_clusters={number}; give both'):
        MODELS.build(cfg)


@pytest.mark.parametrize('name', ['FixMatchLoss', 'MixMatchLoss', 'ConfidenceLoss'])
def test_a_loss_without_a_number_of_clusters_fits_any_head(name):
    assert MODELS.build(dict(CFG, pseudo_label_loss=dict(type=name))).pseudo_label_loss.num_clusters == K
