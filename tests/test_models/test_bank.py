"""The sample bank in one process; several ranks are in test_ddp.py."""
import pytest
import torch

from mmcluster.models.bank import SampleBank

FIELDS = dict(label=dict(), feat=dict(shape=(3,), dtype='float32', fill=0))


def bank_of(num_samples=8, **kwargs):
    return SampleBank(num_samples, dict(FIELDS), **kwargs)


def slow_write(rows, index, values, where=None):
    """Row by row, in order."""
    rows = rows.clone()
    for place, row in enumerate(index.tolist()):
        if where is None or where[place]:
            rows[row] = values[place]
    return rows


@pytest.mark.parametrize('name', ['label', 'feat'])
@pytest.mark.parametrize('masked', [False, True])
def test_of_duplicates_the_last_unmasked_row_stays(name, masked):
    generator = torch.Generator().manual_seed(0)
    bank = bank_of(40)
    expected = getattr(bank, name).clone()
    for _ in range(20):
        index = torch.randint(0, 40, (30,), generator=generator)
        values = torch.randint(0, 99, (30,) if name == 'label' else (30, 3), generator=generator).to(expected)
        where = torch.rand(30, generator=generator) < 0.4 if masked else None
        bank.write(index, where, **{name: values})
        expected = slow_write(expected, index, values, where)
        assert torch.equal(getattr(bank, name), expected)
    assert len(set(index.tolist())) < 30


def test_masked_rows_keep_their_old_value():
    bank = bank_of()
    bank.write(torch.tensor([1, 2]), label=torch.tensor([5, 6]))
    bank.write(torch.tensor([2, 1, 2, 3]), torch.tensor([True, False, False, False]), label=torch.tensor([7, 8, 9, 4]))
    assert bank.label.tolist() == [-1, 5, 7, -1, -1, -1, -1, -1]
    assert bank.read('label', torch.tensor([2, 1, 2])).tolist() == [7, 5, 7]


def test_write_takes_several_fields_and_converts_their_type():
    bank = bank_of()
    feat = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    bank.write(torch.tensor([4, 0]), label=torch.tensor([1., 2.]), feat=feat)
    assert bank.label[[4, 0]].tolist() == [1, 2] and bank.label.dtype == torch.long
    assert torch.equal(bank.feat[[4, 0]], feat.float()) and not bank.feat.requires_grad
    assert bank.feat[[1, 2, 3, 5, 6, 7]].abs().sum() == 0


@pytest.mark.parametrize('name', ['label', 'feat'])
def test_exchange_against_a_loop(name):
    generator = torch.Generator().manual_seed(1)
    bank = bank_of(12)
    rows = getattr(bank, name).clone()
    for _ in range(10):
        index = torch.randint(0, 12, (20,), generator=generator)         # every row about twice, some thrice
        value = torch.randint(0, 99, (20,) if name == 'label' else (20, 3), generator=generator).to(rows)
        before = []
        for place, row in enumerate(index.tolist()):
            before.append(rows[row].clone())
            rows[row] = value[place]
        old, new = bank.exchange(name, index, value)
        assert torch.equal(old, torch.stack(before)) and torch.equal(new, value)
        assert torch.equal(getattr(bank, name), rows)


def test_exchange_of_the_first_row_in_order_sees_the_bank():
    """The row that comes first in sorted order has no predecessor, whatever the last row of the batch is."""
    bank = bank_of()
    old, _ = bank.exchange('label', torch.tensor([3, 3]), torch.tensor([1, 2]))
    assert old.tolist() == [-1, 1] and bank.label[3] == 2


def test_fill_whole_and_partial():
    bank = bank_of()
    buffer = bank.label
    bank.fill(label=torch.arange(8), feat=torch.ones(8, 3, dtype=torch.float64))
    assert bank.label.tolist() == list(range(8)) and bank.feat.sum() == 24
    bank.fill(torch.tensor([6, 1]), label=torch.tensor([60., 10.]), feat=torch.zeros(2, 3))
    assert bank.label.tolist() == [0, 10, 2, 3, 4, 5, 60, 7]
    assert bank.feat.sum(1).tolist() == [3, 0, 3, 3, 3, 3, 0, 3]
    assert bank.label is buffer
    with pytest.raises(ValueError):
        bank.fill(label=torch.arange(7))


def test_a_field_filled_with_what_is_no_number_is_not_set():
    bank = SampleBank(3, dict(score=dict(dtype='float32', fill=float('nan'))))
    assert not bank.is_set('score')
    bank.fill(index=torch.tensor([1]), score=torch.tensor([0.5]))
    assert bank.is_set('score')


def test_is_set():
    bank = bank_of()
    assert not bank.is_set('label') and not bank.is_set('feat')
    bank.write(torch.tensor([7]), label=torch.tensor([0]))
    assert bank.is_set('label') and not bank.is_set('feat')
    bank.write(torch.tensor([7]), feat=torch.tensor([[0., 0., 1.]]))
    assert bank.is_set('feat')


@pytest.mark.parametrize('use', [
    lambda bank: bank.read('lable', torch.tensor([0])), lambda bank: bank.is_set('lable'),
    lambda bank: bank.write(torch.tensor([0]), lable=torch.tensor([0])), lambda bank: bank.fill(lable=torch.zeros(8)),
    lambda bank: bank.exchange('lable', torch.tensor([0]), torch.tensor([0])), lambda bank: bank.is_set('fingerprint')])
def test_an_unknown_field_is_named(use):
    with pytest.raises(KeyError, match=r"no field '(lable|fingerprint)'; it has \['feat', 'label'\]"):
        use(bank_of())


@pytest.mark.parametrize('dtype', ['lnog', 'nn', None])
def test_a_field_has_a_dtype(dtype):
    with pytest.raises(ValueError, match=f"bank field 'new': dtype must be the name of a torch dtype.*got {dtype!r}"):
        bank_of().add_field('new', dtype=dtype)


def test_add_field_twice():
    bank = bank_of()
    bank.fill(label=torch.arange(8))
    bank.add_field('label')
    assert bank.label.tolist() == list(range(8)), 'a second request must not clear the field'
    for wrong in (dict(shape=(2,)), dict(dtype='float32')):
        with pytest.raises(ValueError, match="'label' is asked for with shape"):
            bank.add_field('label', **wrong)
    bank.add_field('queue', shape=(2, 2), dtype='int32', fill=5)
    assert bank.queue.shape == (8, 2, 2) and bank.queue.dtype == torch.int32 and (bank.queue == 5).all()


@pytest.mark.parametrize('num_samples', [None, 0])
def test_the_size_must_be_known(num_samples):
    with pytest.raises(ValueError, match='needs num_samples'):
        SampleBank(num_samples)


def test_a_checkpoint_restores_the_bank():
    bank = bank_of(fingerprint=3)
    bank.fill(label=torch.arange(8), feat=torch.randn(8, 3))
    other = bank_of(fingerprint=3)
    other.load_state_dict(bank.state_dict())
    assert torch.equal(other.label, bank.label) and torch.equal(other.feat, bank.feat)
    assert set(bank.state_dict()) == {'label', 'feat', 'fingerprint'}


def test_a_field_need_not_be_kept():
    bank = bank_of()
    bank.add_field('cache', dtype='float32', fill=0, persistent=False)
    bank.write(torch.tensor([2]), cache=torch.tensor([1.]))
    assert bank.is_set('cache') and 'cache' not in bank.state_dict()
    other = bank_of()
    other.add_field('cache', dtype='float32', fill=0, persistent=False)
    other.load_state_dict(bank.state_dict())
    assert not other.is_set('cache')


@pytest.mark.parametrize('saved, mine, refused', [(3, 4, True), (3, 3, False), (0, 4, False), (3, 0, False),
                                                  (2 ** 62 + 1, 2 ** 62, True)])
def test_a_bank_of_another_data_set_is_refused(saved, mine, refused):
    state = {f'bank.{name}': value for name, value in bank_of(fingerprint=saved).state_dict().items()}
    model = torch.nn.Module()
    model.bank = bank_of(fingerprint=mine)
    if refused:
        with pytest.raises(ValueError, match=f'another data set .fingerprint {saved}, this data set has {mine}'):
            model.load_state_dict(state)
    else:
        model.load_state_dict(state)


def test_a_bank_of_another_size_is_refused():
    model = torch.nn.Module()
    model.bank = bank_of(9)
    state = {f'bank.{name}': value for name, value in bank_of(8).state_dict().items()}
    with pytest.raises(ValueError, match=r"field 'label' has shape \(8,\), this run needs \(9,\)"):
        model.load_state_dict(state)
