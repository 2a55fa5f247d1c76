"""Laws of the samplers: what is drawn depends on seed, stream, pool and step alone."""
import numpy as np
import pytest
import torch

from mmcluster.datasets import StreamSampler, SweepSampler
from mmcluster.datasets.seeding import make_draws
from mmcluster.structures import Key


def sampler(n=20, length=None, seed=3, rank=0, world_size=1, **streams):
    return StreamSampler(range(n), streams or dict(batch=dict(size=6)), length, seed, rank, world_size)


def rows_of(keys, stream='batch'):
    return [key.index for key in keys if key.stream == stream]


@pytest.mark.parametrize('n, size', [(20, 6), (18, 6), (7, 7), (5, 1)])
def test_permute_visits_without_repeats_and_drops_the_ragged_end(n, size):
    draws = sampler(n, batch=dict(size=size))
    per_permutation = n // size
    assert len(draws) == per_permutation
    seen = []
    for epoch in range(3):
        chunks = [draws.chunk('batch', epoch * per_permutation + i) for i in range(per_permutation)]
        rows = torch.cat(chunks).tolist()
        assert len(set(rows)) == len(rows) == per_permutation * size and set(rows) <= set(range(n))
        seen.append(rows)
    assert seen[0] != seen[1] != seen[2]
    if n % size == 0:
        assert sorted(seen[0]) == list(range(n))


def test_small_pool_is_repeated_by_whole_permutations():
    draws = sampler(4, length=2, batch=dict(size=10))
    for step in range(3):
        chunk = draws.chunk('batch', step)
        assert sorted(chunk[:4].tolist()) == sorted(chunk[4:8].tolist()) == [0, 1, 2, 3]
        assert len(set(chunk[8:].tolist())) == 2
    assert draws.chunk('batch', 0).tolist() != draws.chunk('batch', 1).tolist()


def test_chunk_is_pure():
    streams = dict(a=dict(size=4), b=dict(size=5, order='replace'), c=dict(size=3, pool='x'), d=dict(of='a', pool='y'))
    table = torch.randint(0, 20, (20, 3), generator=torch.Generator().manual_seed(0))

    def make(seed=3):
        draws = sampler(20, 4, seed, **streams)
        draws.set_pool('c', [2, 4, 6, 8, 10, 12, 14])
        draws.set_pool('d', table)
        return draws

    steps = [5, 0, 17, 5, 1]
    first, second, other = make(), make(), make(4)
    forward = {name: {step: first.chunk(name, step).tolist() for step in sorted(steps)} for name in streams}
    torch.manual_seed(9)
    for name in streams:
        for step in steps:
            assert second.chunk(name, step).tolist() == forward[name][step]
        assert any(other.chunk(name, step).tolist() != forward[name][step] for step in steps)
    assert forward['a'] != forward['b']


def test_streams_of_one_form_draw_differently():
    draws = sampler(50, a=dict(size=10), b=dict(size=10))
    assert draws.chunk('a', 0).tolist() != draws.chunk('b', 0).tolist()


@pytest.mark.parametrize('world_size', [2, 3])
def test_rank_slices_join_to_the_global_chunk(world_size):
    streams = dict(a=dict(size=6), b=dict(size=12, order='replace'))
    whole = list(sampler(24, 5, **streams))
    parts = [list(sampler(24, 5, rank=rank, world_size=world_size, **streams)) for rank in range(world_size)]
    for step, keys in enumerate(whole):
        for name in streams:
            joined = [key for part in parts for key in part[step] if key.stream == name]
            assert joined == [key for key in keys if key.stream == name]
            assert [key.index for key in joined] == sampler(24, 5, **streams).chunk(name, step).tolist()


def test_draws_number_all_rows_of_the_run():
    draws = sampler(20, 3, seed=5, a=dict(size=4), b=dict(size=2))
    numbers = []
    for epoch in range(2):
        draws.set_epoch(epoch)
        for keys in draws:
            assert all(isinstance(key, Key) and key.draw >> 32 == 5 for key in keys)
            numbers += [key.draw & 0xFFFFFFFF for key in keys]
    assert numbers == list(range(2 * 3 * 6))
    assert all(key.draw < 2**63 for key in next(iter(sampler(20, seed=2**40 + 7))))
    assert make_draws(1, 2**32 - 1, 2) == [2**33 - 1, 2**32]


def test_resumed_equals_uninterrupted():
    whole = sampler()
    epochs = []
    for epoch in range(4):
        whole.set_epoch(epoch)
        epochs.append(list(whole))
    resumed = sampler()
    resumed.set_epoch(3)
    assert list(resumed) == epochs[3] != epochs[2]


def test_fixed_is_cyclic_in_pool_order():
    draws = sampler(10, 3, batch=dict(size=4, order='fixed', pool='x'))
    draws.set_pool('batch', [7, 1, 5])
    assert [draws.chunk('batch', i).tolist() for i in range(3)] == [[7, 1, 5, 7], [1, 5, 7, 1], [5, 7, 1, 5]]


def test_all_takes_the_whole_pool():
    draws = sampler(10, 2, anchor=dict(size='all', pool='x', order='fixed'), batch=dict(size=2))
    draws.set_pool('anchor', torch.tensor([3, 9, 4]))
    assert [rows_of(keys, 'anchor') for keys in draws] == [[3, 9, 4]] * 2
    odd = sampler(10, 2, world_size=2, anchor=dict(size='all', pool='x'))
    odd.set_pool('anchor', torch.tensor([3, 9, 4]))
    with pytest.raises(ValueError, match='3 rows per step cannot be shared equally by 2'):
        next(iter(odd))


def test_replace_follows_the_weights():
    n, size = 6, 60000
    weights = np.array([0., 1, 2, 3, 4, 0])
    draws = sampler(n, 1, batch=dict(size=size, order='replace', pool='x', balance='label'))
    draws.set_pool('batch', [1, 2, 4, 5])
    with pytest.raises(RuntimeError, match="weights from the bank field 'label'"):
        draws.chunk('batch', 0)
    draws.set_weights('batch', weights)
    share = torch.bincount(draws.chunk('batch', 0), minlength=n) / size
    expected = torch.tensor([0, 1, 2, 0, 4, 0]) / 7
    assert torch.allclose(share, expected.float(), atol=0.01) and share[5] == 0 and share[3] == 0
    draws.set_weights('batch', np.ones(n))
    share = torch.bincount(draws.chunk('batch', 0), minlength=n) / size
    assert torch.allclose(share[[1, 2, 4, 5]], torch.full((4,), 0.25), atol=0.01)
    draws.set_weights('batch', np.array([1., 0, 0, 1, 0, 0]))
    with pytest.raises(ValueError, match='weight 0'):
        draws.chunk('batch', 0)


def test_replace_without_weights_is_uniform():
    share = torch.bincount(sampler(5, 1, batch=dict(size=50000, order='replace')).chunk('batch', 0)) / 50000
    assert torch.allclose(share, torch.full((5,), 0.2), atol=0.01)


def test_following_stream_draws_from_its_own_row():
    n, m = 12, 3
    table = torch.arange(n * m).reshape(n, m) % n
    table[:, 1] = -1
    draws = sampler(n, 200, anchor=dict(size=6), neighbor=dict(of='anchor', pool='neighbors'))
    draws.set_pool('neighbor', table)
    seen = {row: set() for row in range(n)}
    for keys in draws:
        for row, neighbor in zip(rows_of(keys, 'anchor'), rows_of(keys, 'neighbor')):
            seen[row].add(neighbor)
    assert seen == {row: {int(table[row, 0]), int(table[row, 2])} for row in range(n)}
    table[4] = -1
    draws.set_pool('neighbor', table)
    with pytest.raises(ValueError, match='row 4 has no entries'):
        list(draws)


@pytest.mark.parametrize('world_size', [1, 2])
def test_following_stream_takes_the_first_entries_of_each_row(world_size):
    """Row by row, so that a rank has all entries of its own rows."""
    table = torch.randint(12, (12, 4))
    streams = dict(anchor=dict(size=4), near=dict(of='anchor', pool='neighbors', entries=3))
    for rank in range(world_size):
        draws = StreamSampler(range(12), streams, None, 0, rank, world_size)
        draws.set_pool('near', table)
        for keys in draws:
            rows = rows_of(keys, 'anchor')
            assert rows_of(keys, 'near') == table[rows, :3].flatten().tolist() and len(rows) == 4 // world_size
            assert len({key.draw for key in keys}) == len(keys), 'a view of its own each'
    table[5, 1] = -1
    draws.set_pool('near', table)
    with pytest.raises(ValueError, match="row 5 has 2 entries in the pool of stream 'near', which takes 3"):
        list(draws)


def test_a_stream_that_begins_later():
    """Other rows and all draws stay what they are with it; its pool may be unpublished before."""
    streams = dict(batch=dict(size=4), near=dict(of='batch', pool='neighbors', begin=2))
    draws, always = (StreamSampler(range(12), given, None, 0, 0, 1) for given in
                     (streams, {**streams, 'near': dict(streams['near'], begin=0)}))
    always.set_pool('near', torch.arange(12)[:, None])
    for epoch in range(3):
        draws.set_epoch(epoch)
        always.set_epoch(epoch)
        if epoch == 2:
            draws.set_pool('near', torch.arange(12)[:, None])
        for some, every in zip(draws, always):
            assert some == [key for key in every if epoch == 2 or key.stream == 'batch']
            assert len(every) == 8


def test_a_new_pool_takes_effect():
    draws = sampler(10, 2, batch=dict(size=2, pool='x'))
    draws.set_pool('batch', [0, 1])
    assert set(draws.chunk('batch', 0).tolist()) == {0, 1}
    draws.set_pool('batch', [8, 9])
    assert set(draws.chunk('batch', 0).tolist()) == {8, 9}
    draws.set_pool('batch', range(2, 10))
    fresh = sampler(10, 2, batch=dict(size=2, pool='x'))
    fresh.set_pool('batch', range(2, 10))
    assert [draws.chunk('batch', i).tolist() for i in range(4)] == [fresh.chunk('batch', i).tolist() for i in range(4)]
    assert sorted(torch.cat([draws.chunk('batch', i) for i in range(4)]).tolist()) == list(range(2, 10))


def test_published_tensors_are_copied():
    pool = torch.tensor([1, 2, 3, 4])
    draws = sampler(10, 2, batch=dict(size=4, pool='x'))
    draws.set_pool('batch', pool)
    pool.zero_()
    assert sorted(draws.chunk('batch', 0).tolist()) == [1, 2, 3, 4]


@pytest.mark.parametrize('rows, message', [
    ([], 'is empty'), ([-1, -1], 'is empty: no hook has filled .* SelectHook, .* GroundTruthHook'), ([0, 10], 'names rows 0..10'), ([-1, 3], 'names rows -1..3'),
    ([2, 2], 'more than once'), ([[1, 2]], r'must have shape \(n,\)')])
def test_bad_pools(rows, message):
    with pytest.raises(ValueError, match=message):
        sampler(10, 1, batch=dict(size=2, pool='x')).set_pool('batch', np.array(rows, dtype=np.int64))


def test_unpublished_pool_names_field_and_remedy():
    with pytest.raises(RuntimeError, match="'labelled' takes its rows from the bank field 'target'.*SelectHook"):
        next(iter(sampler(10, 1, labelled=dict(size=2, pool='target'))))


@pytest.mark.parametrize('streams, length, message', [
    (dict(a=dict(size=3)), None, 'multiple of 2'),
    (dict(a=dict(size=0)), None, 'positive number'),
    (dict(a=dict(size=2, order='shuffle')), None, 'order must be'),
    (dict(a=dict(size=2, balance='label')), None, "needs order='replace'"),
    (dict(a=dict(size=2), b=dict(of='c', pool='x')), None, 'not a stream named before'),
    (dict(a=dict(size=2), b=dict(of='a')), None, 'm entries per row'),
    (dict(a=dict(size=2), b=dict(of='a', pool='x', size=4)), None, 'takes that size'),
    (dict(a=dict(size=2, pool='x')), None, 'give `length`'),
    (dict(a=dict(size=12)), None, 'batch larger than data set: N=10, size=12'),
    (dict(a=dict(size=2)), 0, 'length must be'),
    (dict(a=dict(size=2, entries=2)), None, 'a row that another stream drew'),
    (dict(a=dict(size=2), b=dict(of='a', pool='x', entries=0)), None, 'entries must be at least 1'),
    (dict(a=dict(size=2, begin=-1)), None, 'begin must be at least 0'),
    (dict(a=dict(size=2, begin=1)), None, 'there from epoch 0 on'),
    ({}, 1, 'at least one stream')])
def test_bad_streams(streams, length, message):
    with pytest.raises(ValueError, match=message):
        StreamSampler(range(10), streams, length, 0, 0, 2)


def test_misuse_is_named():
    with pytest.raises(TypeError, match="fields are .*got .*'sise'"):
        sampler(10, a=dict(sise=2))
    draws = sampler(10)
    with pytest.raises(KeyError, match="no stream 'bacth'"):
        draws.chunk('bacth', 0)
    with pytest.raises(ValueError, match='draws from all rows'):
        draws.set_pool('batch', [1])
    with pytest.raises(ValueError, match='does not draw by weight'):
        draws.set_weights('batch', np.ones(10))
    with pytest.raises(ValueError, match='finite numbers'):
        sampler(3, a=dict(size=1, order='replace')).set_weights('a', np.array([1, -1, 1]))


# ---- steps in several parts

PARTED = dict(a=dict(size=12), b=dict(size=6, order='replace'), c=dict(of='a', pool='y'))


def parted(parts=1, rank=0, world_size=1, epoch=0):
    """Lists of keys of one epoch of 4 steps."""
    draws = StreamSampler(range(30), PARTED, 4, 3, rank, world_size, parts)
    draws.set_pool('c', torch.arange(60).reshape(30, 2) % 30)
    draws.set_epoch(epoch)
    lists = list(draws)
    assert len(lists) == len(draws) == 4 * parts
    return lists


@pytest.mark.parametrize('parts', [2, 3, 4, 6])
@pytest.mark.parametrize('epoch', [0, 2])
def test_parts_join_to_the_step(parts, epoch):
    whole, lists = parted(epoch=epoch), parted(parts, epoch=epoch)
    for step, keys in enumerate(whole):
        group = lists[step * parts:(step + 1) * parts]
        for name in PARTED:
            joined = [key for part in group for key in part if key.stream == name]
            assert joined == [key for key in keys if key.stream == name], 'rows, their order and their draws'
            sizes = [sum(key.stream == name for key in part) for part in group]
            assert min(sizes) >= 1 and max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize('world_size, parts', [(2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (6, 1)])
def test_rows_and_draws_depend_on_neither_parts_nor_ranks(world_size, parts):
    whole = parted()
    ranks = [parted(parts, rank, world_size) for rank in range(world_size)]
    for step, keys in enumerate(whole):
        for name in PARTED:
            joined = [key for lists in ranks for part in lists[step * parts:(step + 1) * parts] for key in part
                      if key.stream == name]
            assert joined == [key for key in keys if key.stream == name]


@pytest.mark.parametrize('streams, world_size, parts, message', [
    (dict(batch=dict(size=6)), 1, 0, 'micro_batches must be at least 1, got 0'),
    (dict(batch=dict(size=6)), 1, 7, "stream 'batch': 6 rows per process and step cannot be yielded in 7 micro-batches"),
    (dict(a=dict(size=20), b=dict(size=6)), 2, 4, "stream 'b': 3 rows per process .* lower `micro_batches`")])
def test_parts_that_would_be_empty(streams, world_size, parts, message):
    with pytest.raises(ValueError, match=message):
        StreamSampler(range(30), streams, 2, 0, 0, world_size, parts)


def test_parts_of_a_whole_pool_that_would_be_empty():
    draws = StreamSampler(range(30), dict(anchor=dict(size='all', pool='x')), 2, 0, 0, 1, 4)
    draws.set_pool('anchor', [1, 2, 3])
    with pytest.raises(ValueError, match='3 rows per process and step cannot be yielded in 4 micro-batches'):
        next(iter(draws))


@pytest.mark.parametrize('n, world_size, batch_size', [(10, 1, 4), (10, 3, 2), (2, 5, 3), (8, 2, 4)])
def test_sweep_visits_every_row_once(n, world_size, batch_size):
    shards = [SweepSampler(range(n), batch_size, seed=2, rank=rank, world_size=world_size)
              for rank in range(world_size)]
    keys = [key for shard in shards for batch in shard for key in batch]
    assert keys == [Key(i, 'test', (2 << 32) | i) for i in range(n)]
    for shard in shards:
        sizes = [len(batch) for batch in shard]
        assert len(sizes) == len(shard) and all(size == batch_size for size in sizes[:-1]) and 0 not in sizes


def test_sweep_training_views_change_with_the_epoch():
    train, test = SweepSampler(range(5), 2, 'batch', 1), SweepSampler(range(5), 2, seed=1)
    draws = []
    for epoch in range(3):
        train.set_epoch(epoch), test.set_epoch(epoch)
        draws += [key.draw for batch in train for key in batch]
        assert [key.draw for batch in test for key in batch] == [(1 << 32) | i for i in range(5)]
    assert draws == [(1 << 32) | i for i in range(15)]
    with pytest.raises(ValueError, match='batch_size'):
        SweepSampler(range(5), 0)


# ---- splits, and streams that take turns

class Split:
    """14 rows, of which 0 to 7 are the first split, 8 to 13 the second."""

    def __len__(self):
        return 14

    def split_rows(self, split):
        return torch.cat([dict(a=torch.arange(8), b=torch.arange(8, 14))[part] for part in split.split('+')])


def sequential(seed=3, rank=0, world_size=1, **changes):
    streams = dict(only=dict(size=2, split='b'), batch=dict(size=4, split='a'))
    return StreamSampler(Split(), streams, seed=seed, rank=rank, world_size=world_size, **dict(sequential=True, **changes))


def test_a_split_confines_a_stream():
    draws = StreamSampler(Split(), dict(a=dict(size=8, split='a'), b=dict(size=3, split='b'),
                                          whole=dict(size=5, split='a+b', order='replace')))
    assert len(draws) == 1
    for step in range(4):
        assert sorted(draws.chunk('a', step).tolist()) == list(range(8))
        assert set(draws.chunk('b', step).tolist()) <= set(range(8, 14))
    assert {row for step in range(40) for row in draws.chunk('whole', step).tolist()} == set(range(14))


def test_streams_in_turn():
    """All chunks of the one, then all of the other, each row once an epoch; draws number the rows of the run."""
    draws, numbers, seen = sequential(), [], []
    assert len(draws) == 3 + 2
    for epoch in range(3):
        draws.set_epoch(epoch)
        steps = list(draws)
        assert [{key.stream for key in keys} for keys in steps] == [{'only'}] * 3 + [{'batch'}] * 2
        assert sorted(row for keys in steps for row in rows_of(keys, 'only')) == list(range(8, 14))
        assert sorted(row for keys in steps for row in rows_of(keys)) == list(range(8))
        numbers += [key.draw & 0xFFFFFFFF for keys in steps for key in keys]
        seen.append([key.index for keys in steps for key in keys])
    assert numbers == list(range(3 * 14)) and seen[0] != seen[1] != seen[2]
    resumed = sequential()
    resumed.set_epoch(2)
    assert [key.index for keys in resumed for key in keys] == seen[2]
    assert [key.index for keys in sequential(seed=4) for key in keys] != seen[0]


def test_turns_are_shared_by_ranks():
    whole, parts = list(sequential()), [list(sequential(rank=rank, world_size=2)) for rank in (0, 1)]
    assert [first + second for first, second in zip(*parts)] == whole


def test_one_stream_in_turn_is_a_plain_one():
    plain, turned = (StreamSampler(range(20), dict(batch=dict(size=6)), seed=3, rank=0, world_size=1, sequential=flag)
                     for flag in (False, True))
    for draws in (plain, turned):
        draws.set_epoch(2)
    assert list(plain) == list(turned)


@pytest.mark.parametrize('streams, options, message', [
    (dict(batch=dict(size=4)), dict(length=3), 'leave `length` out'),
    (dict(batch=dict(size=4), more=dict(size=2, pool='target')), {}, 'sequential=True needs known pools'),
    (dict(batch=dict(size=4), more=dict(size=7, split='b')), {}, "N=6, size=7 of stream 'more'"),
    (dict(batch=dict(size=4, split='a', pool='target')), {}, '`pool` names a bank field')])
def test_turns_that_cannot_be(streams, options, message):
    with pytest.raises(ValueError, match=message):
        StreamSampler(Split(), streams, sequential=True, **options)


def test_a_split_needs_a_data_set_that_has_some():
    with pytest.raises(TypeError, match='`split` needs an IndexedDataset, got range'):
        StreamSampler(range(8), dict(batch=dict(size=4, split='a')))


@pytest.mark.parametrize('order', ['permute', 'replace'])
def test_rows_of_an_excluded_stream_are_replaced(order):
    def make(**more):
        return sampler(24, 5, unlabelled=dict(size=10, order=order, **more), labelled=dict(size=6))

    plain, apart = make(), make(exclude='labelled')
    hits = 0
    for step in range(30):
        before, rows, taken = (plain.chunk('unlabelled', step), apart.chunk('unlabelled', step),
                               apart.chunk('labelled', step))
        hit = torch.isin(before, taken)
        assert torch.equal(taken, plain.chunk('labelled', step))
        assert torch.equal(rows[~hit], before[~hit]) and not torch.isin(rows, taken).any()
        assert rows.max() < 24 and (order == 'replace' or len(rows.unique()) == 10)
        hits += int(hit.sum())
    assert hits > 20
    assert torch.equal(make(exclude='labelled').chunk('unlabelled', 7), apart.chunk('unlabelled', 7))


def test_replacements_are_shared_by_ranks_and_drawn_evenly():
    streams = dict(unlabelled=dict(size=4, exclude='labelled'), labelled=dict(size=2))
    whole = list(sampler(12, 3, **streams))
    parts = [list(sampler(12, 3, rank=rank, world_size=2, **streams)) for rank in (0, 1)]
    for step, keys in enumerate(whole):
        assert rows_of(keys, 'unlabelled') == sum((rows_of(part[step], 'unlabelled') for part in parts), [])
    draws = sampler(12, 3, **streams)
    counts = torch.bincount(torch.cat([draws.chunk('unlabelled', step) for step in range(1500)]), minlength=12)
    assert counts.min() > 420 and counts.max() < 580


def test_exclusion_where_nothing_is_left():
    draws = sampler(12, 2, unlabelled=dict(size=4, pool='x', exclude='labelled'), labelled=dict(size=4, pool='y'))
    draws.set_pool('unlabelled', [0, 1, 2, 3, 4, 5])
    draws.set_pool('labelled', [2, 3, 4, 9])
    with pytest.raises(ValueError, match="excludes the rows of 'labelled', which leaves too few of the 6 rows"):
        [draws.chunk('unlabelled', step) for step in range(4)]
    draws.set_pool('labelled', [8, 9, 10, 11])
    assert draws.chunk('unlabelled', 0).max() < 6


@pytest.mark.parametrize('streams, options, message', [
    (dict(a=dict(size=2, exclude='b'), b=dict(size=2)), dict(sequential=True), 'a step has rows of one stream only'),
    (dict(a=dict(size=2, exclude='a')), {}, 'whose rows depend on its own'),
    (dict(a=dict(size=2, exclude='b'), b=dict(size=2, exclude='a')), {}, "'b' cannot exclude 'a'"),
    (dict(a=dict(size=2, exclude='b'), b=dict(of='a', pool='x')), {}, "'a' cannot exclude 'b'"),
    (dict(a=dict(size=2, order='fixed', exclude='b'), b=dict(size=2)), {}, 'needs a number of rows'),
    (dict(a=dict(size='all', exclude='b'), b=dict(size=2)), dict(length=1), 'needs a number of rows'),
    (dict(a=dict(size=2, order='replace', balance='x', exclude='b'), b=dict(size=2)), {}, 'without `balance`')])
def test_exclusions_that_cannot_be(streams, options, message):
    with pytest.raises(ValueError, match=message):
        StreamSampler(range(12), streams, rank=0, world_size=1, **options)


def test_a_small_pool_repeats_what_is_not_excluded():
    draws = sampler(20, 2, b=dict(size=6, pool='x', exclude='a'), a=dict(size=4))
    draws.set_pool('b', [0, 1, 2])
    for step in range(40):
        rows, taken = draws.chunk('b', step), draws.chunk('a', step)
        assert len(rows) == 6 and set(rows.tolist()) <= {0, 1, 2} and not torch.isin(rows, taken).any()


def test_an_excluded_stream_must_be():
    with pytest.raises(ValueError, match=r"stream 'a': `exclude` is the name of another stream .*, got \['b'\]"):
        sampler(12, a=dict(size=2, exclude=['b']), b=dict(size=2))
    with pytest.raises(KeyError, match=r"no stream 'b'; streams are \['a'\]"):
        sampler(12, a=dict(size=2, exclude='b'))
