"""What parts of one's own return: values that do not fit are refused by name, before they spread over all rows."""
import json

import pytest
import torch

from mmcluster.cli.errors import exit_code
from mmcluster.engine.finite import check_losses
from mmcluster.engine.hooks import EStepHook, SelectHook
from mmcluster.engine.hooks.estep import ShardedEStepHook
from mmcluster.engine.hooks.sweep import whole_numbers
from mmcluster.evaluation import PatientEvaluator
from mmcluster.functional.losses.pseudo import masked_cross_entropy
from mmcluster.functional.shards import Shards
from mmcluster.models import PseudoLabelLoss, Unlabelled
from mmcluster.models.pseudo_label_losses.base import MatchLoss
from mmcluster.models.returned import require_targets
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
    loss, logged = model.parse_losses(dict(
        loss_a=torch.ones((), requires_grad=True), share=torch.zeros(()), loss_b=torch.ones(2)))
    assert loss == 2 and list(logged) == ['loss', 'loss_a', 'share', 'loss_b']
    model.pseudo_label_loss = torch.nn.Identity()
    with pytest.raises(ValueError, match='^Identity must return'):
        model.parse_losses(losses)


@pytest.mark.parametrize('kind', [EStepHook, ShardedEStepHook])
def test_an_e_step_cuts_no_fraction_to_zero(kind):
    class Mine(kind):
        def estimate(self, runner, features):
            return dict(label=torch.full((N,), 0.7))

    runner = fake_runner()
    with pytest.raises(ValueError, match=r"Mine\.estimate: 'label' holds whole numbers, torch.int64, and would cut"):
        Mine('label').before_train_epoch(runner)
    assert not runner.model.bank.is_set('label')


def test_fractions_of_another_process_are_refused_on_all():
    class Shared(Shards):
        def sum(self, x):
            return x + 1        # the other one has some

    own = dict(label=torch.zeros(N, dtype=torch.long))
    assert whole_numbers('Mine', own, own) is own
    with pytest.raises(ValueError, match="Mine.estimate: 'label' holds whole numbers"):
        whole_numbers('Mine', own, own, Shared())


def test_the_bank_takes_rows_of_the_shape_of_its_field():
    bank = rowwise().bank
    rows, value = torch.tensor([0, 1]), torch.ones(2, 3, dtype=torch.long)
    for store in (lambda: bank.write(rows, label=value), lambda: bank.exchange('label', rows, value),
                  lambda: bank.fill(rows, label=value)):
        with pytest.raises(ValueError, match=r"bank field 'label' takes \(2,\), got \(2, 3\)"):
            store()
    with pytest.raises(ValueError, match="bank field 'label' holds whole numbers, and would cut the fractions"):
        bank.fill(rows, label=torch.full((2,), 0.7))
    assert not bank.is_set('label')


def test_logged_values_are_tensors():
    with pytest.raises(ValueError, match=r"Rowwise must return tensors.*got \{'share': 'float', 'note': 'str'\}"):
        rowwise().parse_losses(dict(loss_a=torch.ones(()), share=0.5, note='text'))


@pytest.mark.parametrize('given, got', [
    (torch.zeros(4, dtype=torch.long), 'got Tensor'), ((torch.zeros(4), {}), r'float32 \(4,\)'),
    ((torch.zeros(4, 1, dtype=torch.long), {}), r'int64 \(4, 1\)'), ((torch.zeros(3, dtype=torch.long), {}), r'\(3,\)'),
    ((None, None), 'got tuple')])
def test_a_labeller_returns_targets_and_a_dict(given, got):
    with pytest.raises(ValueError, match=rf'Mine must return targets, whole numbers \(4,\) or soft \(4, 3\).*{got}'):
        require_targets('Mine', (4, 3), given)
    for target in (torch.zeros(4, dtype=torch.long), torch.zeros(4, 3), None):
        assert require_targets('Mine', (4, 3), (target, {}))[0] is target


@pytest.mark.parametrize('part, method', [(PseudoLabelLoss, 'loss'), (MatchLoss, 'pseudo_labels')])
def test_a_loss_without_its_method_names_it(part, method):
    arguments = dict(num_clusters=3) if part is MatchLoss else {}
    rows = Unlabelled(torch.zeros(2, 4), torch.zeros(2, 4), torch.zeros(2, 3), torch.zeros(2, 3), torch.arange(2))
    with pytest.raises(NotImplementedError, match=rf'{part.__name__} has no {method}\('):
        part(**arguments).loss(None, rows, None)


@pytest.mark.parametrize('value', [None, torch.ones(())])
def test_a_pseudo_label_loss_returns_a_dict(value):
    class Mine(PseudoLabelLoss):
        def loss(self, l, u, bank):
            return value

    model = rowwise()
    model.forward_streams, model.pseudo_label_loss = (lambda *args: (None, None, {})), Mine()
    with pytest.raises(ValueError, match='Mine must return a dict with a tensor under a key that starts with loss_'):
        model.parse_losses(model.pseudo_label_loss(model, None))


def test_a_loss_without_a_gradient_is_said_of_its_part():
    model, weight = rowwise(), torch.ones((), requires_grad=True)
    model.pseudo_label_loss = PseudoLabelLoss()
    with pytest.raises(ValueError, match='the losses of PseudoLabelLoss depend on no weight that trains: they were det'):
        model.parse_losses(dict(loss_x=weight.detach(), size=weight))
    assert model.parse_losses(dict(loss_x=weight * 2))[0] == 2
    with torch.no_grad():
        assert model.parse_losses(dict(loss_x=torch.ones(())))[0] == 1, 'a loss that is only looked at needs none'


@pytest.mark.parametrize('target, mask, name', [
    (torch.zeros(4, dtype=torch.long), torch.ones(4, 1), 'mask'), (torch.zeros(4, 1, dtype=torch.long), None, 'target'),
    (torch.zeros(3, dtype=torch.long), None, 'target'), (torch.zeros(4, 3), torch.ones(4, 3), 'mask')])
def test_a_column_does_not_spread_over_the_rows_of_a_loss(target, mask, name):
    """(U, 1) times (U,) is a table (U, U), whose sum is the loss of another mask."""
    with pytest.raises(ValueError, match=rf'masked_cross_entropy: {name} must have one number a row, \(4,\), got'):
        masked_cross_entropy(torch.randn(4, 3), target, mask)


def test_a_metric_may_return_tensors():
    class Mine:
        prefix = 'mine'

        def evaluate(self, size):
            return {'mine/a': torch.tensor(0.5), 'mine/b': 0.25}

    assert json.dumps(PatientEvaluator([Mine()]).evaluate(N)) == '{"mine/a": 0.5, "mine/b": 0.25}'


def test_a_run_that_diverged_ends_with_a_sentence(capsys):
    with pytest.raises(FloatingPointError) as caught:
        check_losses(['loss = nan at iteration 1'])
    assert exit_code(caught.value) == 2
    assert capsys.readouterr().err.startswith('mmcluster: error: the loss is not finite: loss = nan at iteration 1.')
