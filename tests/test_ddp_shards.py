"""Four processes that share rows which four does not divide compute what one does."""
import pickle

import ddp_shards
import pytest
import torch
import torch.multiprocessing as mp
from ddp_pool import JOBS, attempt, work

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures('engine')]
COUNT = 4


@pytest.fixture(scope='module')
def four(tmp_path_factory):
    """name -> the results of four processes, started once."""
    folder = tmp_path_factory.mktemp('shards')
    mp.spawn(work, (COUNT, folder, ('ddp_shards',)), nprocs=COUNT)

    def results(name):
        found = [pickle.loads((folder / f'{name}_{rank}.pkl').read_bytes()) for rank in range(COUNT)]
        assert all(well for well, _ in found), next(text for well, text in found if not well)
        return [value for _, value in found]

    return results


def alone(name, tmp_path):
    """The result of this process."""
    well, value = attempt(JOBS[name], tmp_path)
    assert well, value
    return value


def test_every_exchange(four):
    for rank, found in enumerate(four('exchanges')):
        for rows, got in found.items():
            x = torch.arange(2. * rows).view(rows, 2)
            ends = [rows * i // COUNT for i in range(COUNT + 1)]
            assert got['count'] == COUNT and got['same'], 'the rows of a process stay as they are'
            assert got['sizes'] == [b - a for a, b in zip(ends, ends[1:])] and got['start'] == ends[rank]
            assert got['sum'].tolist() == [rows, 6] and got['max'].tolist() == [3, 0]
            assert torch.equal(got['gather'], x) and torch.equal(got['turns'], x)
            assert got['order'] == [(rank - turn) % COUNT for turn in range(COUNT)]
    assert 0 in four('exchanges')[0][ddp_shards.SIZES[1]]['sizes'], 'a share may be empty'


def test_kmeans_is_that_of_one_process(four, tmp_path):
    whole = alone('clusterings', tmp_path)
    for found in four('clusterings'):
        for key, result in found.items():
            assert torch.equal(result.labels, whole[key].labels) and torch.equal(result.counts, whole[key].counts)
            assert result.inertia == pytest.approx(whole[key].inertia, rel=1e-6, abs=1e-6)
            assert torch.equal(result.centers, four('clusterings')[0][key].centers), 'equal to the bit on all'
            torch.testing.assert_close(result.centers, whole[key].centers, rtol=1e-5, atol=1e-6)


def test_metrics_are_those_of_one_process(four, tmp_path):
    whole, ranks = alone('scores', tmp_path), four('scores')
    assert [whole[rows, 'cells'][0] for rows in ddp_shards.SIZES[:2]] == [
        whole[rows, 'head'][0] for rows in ddp_shards.SIZES[:2]]
    for key, (values, assignments, centers) in whole.items():
        assert {'acc', 'nmi', 'labelled'} <= {name.split('/')[1] for name in values}
        assert [found[key][0] for found in ranks] == [values] * COUNT
        assert [found[key][1] is None for found in ranks] == [False, True, True, True]
        assert torch.equal(ranks[0][key][1].cluster, assignments.cluster)
        assert torch.equal(ranks[0][key][1].index, assignments.index)
        torch.testing.assert_close(ranks[0][key][1].confidence, assignments.confidence)
        assert all((found[key][2] is None) is (centers is None) for found in ranks)


def test_hooks_write_what_one_process_writes(four, tmp_path):
    """57 rows: two selections with shares, one that gathers, k-means aligned with the first, neighbours."""
    whole = alone('hooks', tmp_path)
    assert all((whole[name] >= 0).any() for name in whole) and (whole['label'] >= 0).all()
    for found in four('hooks'):
        torch.testing.assert_close(found.pop('posterior'), whole['posterior'], rtol=1e-4, atol=1e-6)
        assert [name for name in found if not torch.equal(found[name], whole[name])] == []


def test_graphs_and_maps_are_those_of_one_process(four, tmp_path):
    for name in ('graphs', 'first_map'):
        whole = alone(name, tmp_path)
        for found in four(name):
            for key, value in whole.items():
                torch.testing.assert_close(found[key], value, rtol=1e-6, atol=0)
    assert set(alone('first_map', tmp_path)['map'].tolist()) == set(range(ddp_shards.CLUSTERS))


def test_heads_are_those_of_one_process(four, tmp_path):
    whole = alone('heads', tmp_path)
    for found in four('heads'):
        for name in ddp_shards.METHODS:
            torch.testing.assert_close(found[f'kept {name}'], whole[f'kept {name}'], rtol=1e-5, atol=1e-6)
            if name != 'TURTLE' or found is four('heads')[0]:       # whose losses process 0 computes for all
                torch.testing.assert_close(found[name], whole[name], rtol=1e-5, atol=1e-6)


def test_nearest_neighbours_vote_as_in_one_process(four, tmp_path):
    whole = alone('votes', tmp_path)
    assert [found == whole for found in four('votes')] == [True] * COUNT
    assert 0.3 < whole[ddp_shards.SIZES[0], True]['knn/accuracy'] < 1 and not whole[ddp_shards.SIZES[0], False]
