"""Result folders: what is written is read, and what is broken is named."""
import csv
import json
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from sklearn.datasets import load_digits

from mmcluster.apis import result as folder
from mmcluster.apis.describe import compare, describe_clusters
from mmcluster.apis.features_clusterer import FeatureClusterer
from mmcluster.apis.folder_words import changes
from mmcluster.apis.result import ResultError, read_content, read_result, write_result


@pytest.fixture(scope='module')
def made():
    data = load_digits()
    x = np.concatenate([data.data[:400], data.data[:2]]).astype(np.float32)
    label = [f'digit {value}' for value in data.target[:400]] + ['', '']
    paths = [f'a/{i}, "quoted" \n é.png' for i in range(401)] + ['bad\udcff.png']
    clusterer = FeatureClusterer((9, 11)).fit(x)
    return describe_clusters(clusterer, x, paths, dict(root='.', mmcluster='0'), [('x.png', 'is cut short')], label)


@pytest.fixture
def written(made, tmp_path):
    write_result(tmp_path / 'out', made)
    return tmp_path / 'out'


def test_what_is_written_is_read(made, written):
    again = read_result(written)
    assert again.paths == made.paths and again.label == made.label and again.unreadable == made.unreadable
    for name, values in made.table.items():
        assert np.allclose(again.table[name], values, rtol=1e-4, atol=1e-8), name
    assert np.array_equal(again.embed, made.embed)
    assert again.model.describe(again.model.reduce(made.embed[:50].astype(np.float32))).cluster.shape == (50,)
    more = {folder.PARQUET} if find_spec('pyarrow') else set()
    assert {path.name for path in written.iterdir()} == {'assignments.csv', 'embeddings.npy', 'model.npz',
                                                         'summary.json', 'unreadable.csv'} | more
    mapped = np.load(written / 'embeddings.npy', mmap_mode='r')
    assert isinstance(mapped, np.memmap) and np.array_equal(mapped, made.embed)


def test_a_result_knows_the_contents_that_it_was_made_of(made, tmp_path):
    keys = np.arange(len(made.paths) * 16, dtype=np.uint8).reshape(-1, 16)
    write_result(tmp_path / 'out', replace(made, content=keys))
    assert read_content(tmp_path / 'out') == {path: key.tobytes() for path, key in zip(made.paths, keys)}
    (tmp_path / 'out' / 'content.npy').write_bytes(b'cut')
    assert read_content(tmp_path / 'out') == {}
    write_result(tmp_path / 'out', made)
    assert read_content(tmp_path / 'out') == {} and not (tmp_path / 'out' / 'content.npy').exists()


def test_the_table_as_parquet(made, written):
    parquet = pytest.importorskip('pyarrow.parquet')
    table = parquet.read_table(written / 'assignments.parquet').to_pydict()
    assert list(table) == [*folder.COLUMNS, 'label'] and table['path'][:401] == made.paths[:401]
    assert table['path'][-1] == r'bad\udcff.png' and table['cluster'] == made.table['cluster'].tolist()
    assert table['confidence'] == made.table['confidence'].tolist(), 'numbers are not rounded'
    assert table['duplicate_group'][0] == 0 and table['duplicate_group'][10] is None


def test_changes_since_the_last_result_are_counted():
    before = dict(a=b'1', b=b'2', c=b'3')
    assert changes(before, dict(a=b'1', b=b'9', d=b'3')) == dict(added=1, changed=1, removed=1)
    assert changes(before, before) == dict(added=0, changed=0, removed=0)


def test_the_table_has_the_columns_that_others_read(written):
    with open(written / 'assignments.csv', newline='', encoding='utf-8', errors='surrogateescape') as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [*folder.COLUMNS, 'label'] and len(rows) == 402
    assert rows[0]['duplicate_group'] == rows[400]['duplicate_group'] == '0' and rows[10]['duplicate_group'] == ''
    assert all(-1.02 <= float(row[axis]) <= 1.02 for row in rows for axis in 'xy')


def test_the_summary_says_how_good_it_is(written):
    summary = json.loads((written / 'summary.json').read_text())
    assert summary['images'] == 402 and summary['k_requested'] == [9, 11] and summary['sureness']
    assert sum(one['size'] for one in summary['clusters']) == 402 and len(summary['tree']) == summary['k'] - 1
    assert summary['metrics']['acc'] > 0.5 and np.sum(summary['confusion']['table']) == 400
    assert {'silhouette', 'davies_bouldin'} == set(summary['quality'])


def test_confusion_has_matches_on_its_diagonal():
    metrics, confusion = compare(['b', 'b', 'a', 'a', '', 'a'], np.array([0, 0, 2, 2, 1, -1]))
    assert confusion == dict(classes=['a', 'b'], clusters=[2, 0, -1], table=[[2, 0, 1], [0, 2, 0]])
    assert metrics['acc'] == 0.8 and metrics['purity'] == 1


@pytest.mark.parametrize('name', ['assignments.csv', 'embeddings.npy', 'model.npz', 'unreadable.csv', 'summary.json'])
@pytest.mark.parametrize('damage', ['cut', 'gone'])
def test_damage_is_named_with_a_remedy(written, name, damage):
    path = written / name
    data = path.read_bytes()
    path.unlink() if damage == 'gone' else path.write_bytes(data[:len(data) // 2])
    with pytest.raises(ResultError, match='mmcluster cluster'):
        read_result(written)


def test_another_version_is_named(written):
    summary = json.loads((written / 'summary.json').read_text())
    (written / 'summary.json').write_text(json.dumps(dict(summary, format=7, mmcluster='9.9')))
    with pytest.raises(ResultError, match='format 7.*9.9'):
        read_result(written)


def test_a_failed_write_leaves_the_old_result(made, written, monkeypatch):
    before = {path.name: path.read_bytes() for path in written.iterdir()}
    calls = []

    def full(path):
        calls.append(path)
        if len(calls) == 3:
            raise OSError(28, 'No space left on device')
        return original(path)

    original = folder.whole_file
    monkeypatch.setattr(folder, 'whole_file', full)
    with pytest.raises(OSError, match='No space'):
        write_result(written, made)
    assert {path.name: path.read_bytes() for path in written.iterdir()} == before
