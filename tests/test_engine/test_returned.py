"""What parts of one's own return: values that do not fit are refused by name, before they spread over all rows."""
import pytest
import torch

from mmcluster.engine.hooks import EStepHook, SelectHook
from mmcluster.engine.hooks.estep import ShardedEStepHook
from mmcluster.registry import LABEL_SELECTORS

from .fake import N, fake_runner, rowwise


@pytest.mark.parametrize('kind', [EStepHook, ShardedEStepHook])
@pytest.mark.parametrize('value, got', [
    (torch.ones(N, dtype=torch.long), 'got a Tensor'), (None, 'got a NoneType'), ({}, r'got \[\]'),
    (dict(labels=torch.ones(N)), r"got \['labels'\]"), (dict(label=[0] * N), r'got of .label.: \[0, 0'),
    (dict(label=torch.ones(1)), r"got of 'label': \(1,\)"), (dict(label=torch.ones(N, 1)), rf'\({N}, 1\)')])
def test_an_e_step_fills_whole_fields(kind, value, got):
    class Mine(kind):
        def estimate(self, runner, features):
            return value

    runner = fake_runner()
    with pytest.raises(ValueError, match=rf"Mine\.estimate must return a dict with tensors .'label': \({N},\).*{got}"):
        Mine('label').before_train_epoch(runner)
    assert not runner.model.bank.is_set('label')


@pytest.mark.parametrize('kind', [EStepHook, ShardedEStepHook])
def test_an_e_step_fills_buffers_of_their_shape(kind):
    class Mine(kind):
        def buffers(self, model):
            return dict(table=model.table)

        def estimate(self, runner, features):
            return dict(label=torch.ones(N, dtype=torch.long), table=torch.ones(()))

    runner = fake_runner()
    runner.model.register_buffer('table', torch.zeros(3, 2))
    with pytest.raises(ValueError, match=r"Mine\.estimate must .*'table': \(3, 2\).*got of 'table': \(\)"):
        Mine('label').before_train_epoch(runner)
    assert not runner.model.table.any()


def test_what_an_e_step_leaves_out_stays():
    class Mine(EStepHook):
        def fields(self):
            return ['label', 'target']

        def estimate(self, runner, features):
            return dict(target=torch.full((N,), 2))

    runner = fake_runner()
    Mine('label').before_train_epoch(runner)
    assert (runner.model.bank.target == 2).all() and not runner.model.bank.is_set('label')


@pytest.mark.parametrize('sharded', [False, True])
@pytest.mark.parametrize('value, got', [
    (torch.zeros(N), 'torch.float32'), (torch.zeros(N, dtype=torch.bool), 'torch.bool'),
    (torch.zeros(N - 1, dtype=torch.long), rf'int64 \({N - 1},\)'), (torch.zeros(N, 1, dtype=torch.long), rf'\({N}, 1\)'),
    (None, 'NoneType'), ([0] * N, 'list')])
def test_a_selector_labels_every_row(sharded, value, got):
    class Mine:
        num_clusters = 3

        def __call__(self, *args):
            return value

    Mine.sharded = sharded
    LABEL_SELECTORS.register_module(name='Mine', module=Mine, force=True)
    runner = fake_runner()
    with pytest.raises(ValueError, match=rf'Mine must return the label of every row, whole numbers \({N},\).*got .*{got}'):
        SelectHook(dict(type='Mine')).before_train_epoch(runner)
    value = torch.zeros(N, dtype=torch.int32)
    SelectHook(dict(type='Mine')).before_train_epoch(runner)
    assert (runner.model.bank.field('target') == 0).all(), 'any kind of whole numbers'
    LABEL_SELECTORS.module_dict.pop('Mine')


@pytest.mark.parametrize('losses, got', [
    (torch.ones(()), 'got Tensor'), (None, 'got NoneType'), ({}, r'got \[\]'), (dict(sup=torch.ones(())), r"got \['sup'\]")])
def test_a_step_has_something_to_minimise(losses, got):
    """mmengine would add nothing up to 0, and end in an error about backward."""
    model = rowwise()
    with pytest.raises(ValueError, match=f'Rowwise must return a dict with a tensor under a key .*loss_.*{got}'):
        model.parse_losses(losses)
    loss, logged = model.parse_losses(dict(loss_a=torch.ones(()), share=torch.zeros(()), loss_b=torch.ones(2)))
    assert loss == 2 and list(logged) == ['loss', 'loss_a', 'share', 'loss_b']
    model.pseudo_label_loss = torch.nn.Identity()
    with pytest.raises(ValueError, match='^Identity must return'):
        model.parse_losses(losses)
