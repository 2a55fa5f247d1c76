"""Tables of labels: what is unknown, how files are written, and how their names are found."""
import csv
import io
import unicodedata
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from mmcluster.datasets import ArraySource, FolderSource, IndexedDataset
from mmcluster.datasets.few_labels import counts_rows, read_few_labels
from mmcluster.datasets.label_csv import read_labels, read_table
from mmcluster.evaluation.clustering import Assignments
from mmcluster.evaluation.results import write_assignments
from mmcluster.image_names import PathLookup, cell_of, path_of, printable

PATHS = ['a.png', 'b.png', 'c.png']
NFC, NFD = (unicodedata.normalize(form, 'Schäfer/é.png') for form in ('NFC', 'NFD'))


def write(folder, text, encoding='utf-8'):
    path = folder / 'labels.csv'
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


@pytest.mark.parametrize('unknown', ['', '-1', '-1.0', 'NaN', '-1.000e+00'])
def test_unknown_is_read_alike(tmp_path, unknown):
    table = write(tmp_path, f'path,label\na.png,3\nb.png,{unknown}\nc.png,5.0\n')
    labels, classes = read_labels(table, PATHS)
    assert labels.tolist() == [0, -1, 1] and classes == ['3', '5']
    assert read_few_labels(table, 3, PATHS).tolist() == [3, -1, 5]
    number = float(unknown or 'nan')
    assert ArraySource(np.zeros((3, 2, 2), np.uint8), [3, number, 5]).labels.tolist() == [3, -1, 5]


@pytest.mark.parametrize('wrong', ['-2', '1.5', '-0.25'])
def test_what_is_no_label_is_refused_alike(tmp_path, wrong):
    table = write(tmp_path, f'a.png,cat\nb.png,{wrong}\nc.png,\n')
    with pytest.raises(ValueError, match=f"line 2: '{wrong}' is no label"):
        read_labels(table, PATHS)
    with pytest.raises(ValueError, match=f"image 1: '{wrong}' is no label"):
        read_few_labels(table, 3, PATHS)
    with pytest.raises(ValueError, match=rf'beginning with {wrong}\S* \(row 1\)'):
        ArraySource(np.zeros((3, 2, 2), np.uint8), [3, float(wrong), 5])


def test_a_class_may_be_called_like_a_fraction(tmp_path):
    assert read_few_labels(write(tmp_path, '0,1.5\n1,0.5'), 2, classes=('0.5', '1.5')).tolist() == [1, 0]


@pytest.mark.parametrize('text', ['1,2', '1.0,2.0', '01,2', '1.,2e0'])
def test_a_number_names_its_class_however_it_is_written(tmp_path, text):
    few = write(tmp_path, 'path,label\n' + ''.join(f'{name},{label}\n' for name, label in zip(PATHS, text.split(','))))
    assert read_few_labels(few, 3, PATHS, ['1', '2', '3']).tolist() == [0, 1, -1]
    assert read_few_labels(few, 3, PATHS, ['cat', 'dog', 'emu']).tolist() == [1, 2, -1]
    assert read_few_labels(few, 3, PATHS).tolist() == [1, 2, -1]


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16'])
@pytest.mark.parametrize('mark', [',', ';', '\t'])
def test_encodings_and_separators(tmp_path, encoding, mark):
    table = write(tmp_path, f'path{mark}label\r\nä.png{mark}gräser\r\n\r\nb.png{mark}\r\n', encoding)
    assert read_table(table) == [(1, ['path', 'label']), (2, ['ä.png', 'gräser']), (4, ['b.png', ''])]
    assert read_labels(table, ['ä.png', 'b.png'])[1] == ['gräser'] and not counts_rows(table, ['ä.png', 'b.png'])


@pytest.mark.parametrize('content, message', [
    ('a.png,1\nä.png,2\n'.encode('cp1252'), r'labels.csv, line 2: the text is not written in UTF-8 \(byte 0xe4\).*CSV'),
    ('a.png,1\n'.encode('utf-16-le'), 'labels.csv is no text in UTF-8'), (b'\xff\xfea', 'labels.csv, line 1')])
def test_other_encodings_are_named(tmp_path, content, message):
    table = write(tmp_path, content)
    for read in (lambda: read_labels(table, ['a.png']), lambda: read_few_labels(table, 1, ['a.png']),
                 lambda: counts_rows(table)):
        with pytest.raises(ValueError, match=message):
            read()


def test_accents_may_be_composed_in_another_way(tmp_path):
    for there, written in ((NFC, NFD), (NFD, NFC)):
        assert read_few_labels(write(tmp_path, f'{written},7'), 2, ['x.png', there]).tolist() == [-1, 7]
    both = PathLookup([NFC, NFD])
    assert (both.find(NFC), both.find(NFD)) == (0, 1)
    mixed = unicodedata.normalize('NFC', 'Schäfer') + unicodedata.normalize('NFD', '/é.png')
    assert both.find(mixed) is None, 'two files look like it'


@pytest.mark.parametrize('path', ['=1+1.png', '+a.png', '-1/b.png', '@c.png', '\td.png', ' =e.png', '＝f.png'])
def test_a_name_is_no_formula(path):
    cell = cell_of(path)
    assert cell == f'./{path}' and PathLookup(['x.png', path]).find(cell) == 1
    assert cell_of(f'sub/{path}') == f'sub/{path}'


@pytest.mark.parametrize('name', [
    'a\udcff.png', ' blank .png', 'b\\c.png', 'new\nline.png', '\udce4/x.png', '=a\\xe9.png', '-x\\xc3\\xa9.png',
    'lit\\xe9_\udce9.png', '=\\x5cxe9\\\\xe9', 'plain\\xe9', '=é\udce9', './=x'])
def test_odd_names_are_found_again(name):
    assert PathLookup(['x.png', name]).find(cell_of(name)) == 1
    assert path_of(cell_of(name)) == name
    cell_of(name).encode()
    assert printable('a\udcff.png') == r'a\xff.png'


def test_labels_of_odd_names(tmp_path):
    names = ['=x.png', NFD.split('/')[1]]
    for name in names:
        Image.new('L', (4, 4)).save(tmp_path / name)
    table = write(tmp_path, ''.join(f'{cell_of(unicodedata.normalize("NFC", name))},{i}\n'
                                    for i, name in enumerate(names)))
    source = FolderSource(tmp_path, table)
    assert dict(zip(source.paths, source.labels.tolist())) == dict(zip(names, range(2)))


def test_assignments_name_files_that_are_found_again(tmp_path):
    names = ['=cmd.png', '-1/b.png', '@x.png', 'caf\udce9.png', 'plain, with comma.png', '"quoted".png', NFD]
    images = SimpleNamespace(paths=names)
    number = torch.arange(len(names))
    write_assignments(str(tmp_path / 'assignments.csv'), Assignments(number, number + 2, number * .1, number), images)
    rows = list(csv.reader(io.StringIO((tmp_path / 'assignments.csv').read_text(encoding='utf-8'))))[1:]
    assert all(not row[0].startswith(('=', '+', '-', '@')) for row in rows)
    table = tmp_path / 'labels.csv'
    with open(table, 'w', encoding='utf-8', newline='') as file:
        csv.writer(file).writerows([row[:2] for row in rows])
    assert read_few_labels(table, len(names), names).tolist() == (number + 2).tolist()


def test_labels_of_another_kind_of_source():
    class Own(ArraySource):
        def __init__(self, labels):
            super().__init__(np.zeros((3, 2, 2), np.uint8))
            self.labels = np.asarray(labels)

    assert IndexedDataset(Own([2., np.nan, 0.]), test_mode=True)[[0, 1, 2]]['batch'].label.tolist() == [2, -1, 0]
    with pytest.raises(ValueError, match='1 of 3 labels of array are no labels'):
        IndexedDataset(Own([2, -2, 0]))


@pytest.mark.parametrize('content', [b'', b'no array', b'\x93NUMPY\1\0'])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / 'x.npy').write_bytes(content)
    for read in (lambda: ArraySource(tmp_path / 'x.npy'), lambda: read_few_labels(tmp_path / 'x.npy', 3)):
        with pytest.raises(ValueError, match='x.npy cannot be read as a .npy file'):
            read()
    np.savez(tmp_path / 'y.npz', a=np.zeros(3))
    with pytest.raises(ValueError, match='y.npz holds several arrays'):
        ArraySource(tmp_path / 'y.npz')


def test_a_summary_counts():
    source = ArraySource(np.zeros((5, 2, 2), np.uint8), [0, 0, 2, -1, np.nan], ['cat', 'dog'], 'pets')
    assert source.summary() == ('pets', 5, {}, 3, {'cat': 2, 'dog': 0, '2': 1})
    assert str(source.summary()) == \
        'pets: 5 images; 3 with ground truth, for metrics only, in 3 classes (2 cat, 0 dog, 1 2)'
    part = IndexedDataset(source, indices=[3, 0]).summary()
    assert (part.images, part.labelled, part.classes['cat']) == (2, 1, 1)
    assert str(ArraySource(np.zeros((5, 2, 2), np.uint8)).summary()) == 'array: 5 images; no ground truth'
