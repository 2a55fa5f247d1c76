"""When RUC's networks take turns, and clean rows from two networks."""
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import ConfigDict

from mmcluster.engine.extract import extract, sweep_loader
from mmcluster.engine.hooks import SelectHook, TurnHook
from mmcluster.functional.losses.ruc import clean_rows

from .fake import D, K, N, fake_runner, rowwise


def model(**labeller):
    """What the hook asks of a model; ``log`` notes the turns that were started."""
    found = SimpleNamespace(twin=True, labeller=SimpleNamespace(**labeller) if labeller else None, turn=7, log=[])
    found.start_turn = lambda: found.log.append(found.turn)
    return found


@pytest.mark.parametrize('labeller, turns', [
    ({}, [0, 1, 0, 1]), (dict(has_labels=True), [0, 1, 0, 1]), (dict(has_labels=False), [0, 0, 0, 0]),
    (dict(trains=False), [0, 1, 0, 1])])
def test_turns(labeller, turns):
    """A labeller that knows no labels yet keeps the first network at work."""
    net = model(**labeller)
    for epoch in range(4):
        TurnHook().before_train_epoch(fake_runner(net, epoch=epoch))
    assert net.log == turns


def test_the_turn_is_that_of_the_epoch_after_the_first_map():
    net = model(has_labels=False)
    for epoch in range(6):
        net.labeller.has_labels = epoch >= 3
        TurnHook().before_train_epoch(fake_runner(net, epoch=epoch))
    assert net.log == [0, 0, 0, 1, 0, 1]


def test_turns_need_a_twin():
    with pytest.raises(ValueError, match='TurnHook: Rowwise has no twin'):
        TurnHook().before_train(fake_runner())
    TurnHook().before_train(fake_runner(model(), train_dataloader=range(6)))


@pytest.mark.parametrize('length, count, fits', [(6, 3, True), (6, 1, True), (6, 4, False)])
def test_gradients_do_not_pass_from_turn_to_turn(length, count, fits):
    runner = fake_runner(model(), train_dataloader=range(length),
                         optim_wrapper=SimpleNamespace(_accumulative_counts=count))
    if fits:
        return TurnHook().before_train(runner)
    with pytest.raises(ValueError, match='6 iterations would leave gradients of accumulative_counts=4 to the other'):
        TurnHook().before_train(runner)


# ---- the embedding of one network, the clusters of another

def clustering():
    """A network that is sure of some rows of every blob."""
    head = torch.nn.Linear(D, K)
    with torch.no_grad():
        head.weight.copy_(torch.randn(K, D, generator=torch.Generator().manual_seed(2)))
    model = rowwise(head=head)
    model.folded = lambda x: x.abs().cumsum(1)
    return model


@pytest.mark.parametrize('how', ['hybrid', 'metric', 'confidence'])
def test_clean_rows_of_two_networks(how):
    runner = fake_runner(clustering())
    hook = SelectHook(dict(type='HybridClean', num_clusters=K, how=how, threshold=0.7, k=9), output='head_probs',
                      embed=dict(output='folded'))
    hook.before_train_epoch(runner)
    embed, logits = (extract(runner.model, sweep_loader(runner.train_dataloader.dataset), N, output)
                     for output in ('folded', 'logits'))
    label = logits.argmax(1)
    keep = clean_rows(logits, embed, label, how, 0.7, 9)
    assert 0 < keep.sum() < N and torch.equal(runner.model.bank.target, torch.where(keep, label, -1))


def test_the_embedding_of_an_older_network(tmp_path):
    """It is a source of its own, built when it is needed."""
    other = rowwise()
    with torch.no_grad():
        other.backbone.fc.weight.copy_(torch.randn(D, D))
    torch.save(dict(state_dict=other.state_dict()), tmp_path / 'other.pth')
    source = dict(type='Rowwise', backbone=dict(type='Affine'), bank=dict(
        num_samples=N, fields=dict(label={}, target={})),
        data_preprocessor=dict(type='ViewPreprocessor', mean=[0.], std=[1.]),
        init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'other.pth')))
    runner = fake_runner(clustering())
    hook = SelectHook(dict(type='HybridClean', num_clusters=K, threshold=0.5, k=9), output='head_probs',
                      embed=dict(network=ConfigDict(source)))
    found = hook.features(runner)
    loader = sweep_loader(runner.train_dataloader.dataset)
    assert torch.equal(found[:, :D], extract(other, loader, N))
    assert torch.equal(found[:, D:], extract(runner.model, loader, N, 'head_probs'))


def test_an_embedding_beside_another_output():
    with pytest.raises(ValueError, match="embed is for an embedding beside output='head_probs', got output='embed'"):
        SelectHook(dict(type='HybridClean', num_clusters=K), embed=dict(output='folded'))
