"""The label-free selection of a head, and what rank 0 does for all."""
import logging

import pytest
import torch

from mmcluster.engine.hooks import BestHeadHook
from mmcluster.functional.shards import WHOLE
from mmcluster.models import MultiHeadClusterer
from mmcluster.utils import on_main_process

from .fake import Affine, D, K, N, blobs, fake_runner, scalar

H = 3


class Several(MultiHeadClusterer):
    """Heads on feature rows, whose losses are planted; keeps the logits that it was asked about."""

    def __init__(self, losses, **kwargs):
        head = dict(type='MultiHead', num_heads=H, head=dict(type='LinearClusterHead', in_channels=D, num_clusters=K))
        super().__init__(head, backbone=Affine(), **kwargs,
                         data_preprocessor=dict(type='ViewPreprocessor', mean=[0.], std=[1.]))
        self.losses, self.asked = list(losses), []

    def selection_losses(self, logits, shards=WHOLE):
        self.asked.append(logits)
        return torch.tensor(self.losses[len(self.asked) - 1])


def run(model, epochs=None, max_epochs=None, **hook):
    """Ends of some epochs, each after the heads moved; the numbers of those that selected."""
    hook = BestHeadHook(**hook)
    runner = fake_runner(model, max_epochs=max_epochs or len(model.losses))
    due, kept = [], []
    for runner.epoch in epochs if epochs is not None else range(len(model.losses)):
        with torch.no_grad():
            for parameter in model.head.parameters():
                parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(runner.epoch)))
        before = len(model.asked)
        hook.after_train_epoch(runner)
        due += [runner.epoch] * (len(model.asked) - before)
        kept.append((int(model.best_so_far.head_index), round(float(model.best_so_far.loss), 4)))
    return runner, due, kept


def test_the_best_head_of_all_epochs_is_kept():
    model = Several([[3., 2., 4.], [2.5, 2.1, 2.2], [1.5, 9., 1.6], [float('nan'), 1.6, 1.7]])
    runner, due, kept = run(model)
    assert due == [0, 1, 2, 3] and kept == [(1, 2.), (1, 2.), (0, 1.5), (0, 1.5)]
    assert scalar(runner, 'chosen_loss') == pytest.approx(1.5)


def test_what_is_kept_is_the_head_of_that_epoch():
    model = Several([[3., 2., 4.], [3., 3., 3.]])
    run(model, epochs=[0])
    weight = model.head.heads[1].fc.weight.clone()
    assert torch.equal(model.best_so_far.head.fc.weight, weight)
    run(model, epochs=[1])
    assert torch.equal(model.best_so_far.head.fc.weight, weight) and not torch.equal(model.head.heads[1].fc.weight, weight)


@pytest.mark.parametrize('freeze', [True, False])
def test_the_model_is_asked_about_the_whole_set_in_order(freeze):
    model = Several([[3., 2., 4.]], freeze=freeze)
    model.train()
    run(model, batch_size=7)
    logits = model.asked[0]
    assert logits.shape == (N, H, K) and model.training and not logits.requires_grad
    model.eval()
    torch.testing.assert_close(logits, model.head_logits(torch.from_numpy(blobs()[0])).detach())


def test_nothing_is_kept_when_no_loss_is_finite():
    model = Several([[float('nan')] * H, [float('inf')] * H])
    before = model.best_so_far.head.fc.weight.clone()
    *_, kept = run(model)
    assert kept == [(0, float('inf'))] * 2 and torch.equal(model.best_so_far.head.fc.weight, before)


def test_features_that_are_not_finite_stop_the_run():
    model = Several([[1., 2., 3.]])
    with torch.no_grad():
        model.head.heads[1].fc.weight.fill_(float('nan'))
    with pytest.raises(FloatingPointError, match='BestHeadHook: features of epoch 0 are not finite'):
        run(model)


def test_the_log_names_losses_and_the_kept_head(caplog):
    with caplog.at_level(logging.INFO, 'fake'):
        run(Several([[3., 2., 4.], [2.5, 2.1, 2.2]]))
    assert '[3.0, 2.0, 4.0]; kept head 1 with 2.0000' in caplog.text
    assert 'none better than the kept head 1 with 2.0000' in caplog.text


def test_rank_0_alone_returns_or_raises():
    assert on_main_process(lambda a, b: a + b, 2, 3) == 5

    def failing():
        raise KeyError('no such cluster')
    with pytest.raises(KeyError, match='no such cluster'):
        on_main_process(failing)
