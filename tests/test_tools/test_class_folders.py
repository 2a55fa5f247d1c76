"""Published image sets become class folders: whole or not at all, never over something else, never in part."""
import importlib
import json
import re
import sys
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from mmcluster.datasets import ClassFolderSource, IndexedDataset

FOLDER = Path(__file__).parents[2] / 'tools' / 'dataset_converters'
CLASSES = ('normal', 'serrated', 'adenocarcinoma', 'adenoma')


@pytest.fixture
def tool(monkeypatch):
    """The converter, imported as the command line does."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module('class_folders')
    for name in ('class_folders', 'unpack_archive'):
        sys.modules.pop(name, None)


def image(path, level=0, size=(6, 5)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', size, (level, 0, 0)).save(path)


def write_rsod(root):
    for i, kind in enumerate(('aircraft', 'oiltank', 'overpass', 'playground')):
        for j in range(2 + i):
            image(root / kind / 'JPEGImages' / f'{kind}_{j}.JPG', 10 * i + j, (8 + i, 9 + j))
            for text in (f'xml/{kind}_{j}.xml', f'labels/{kind}_{j}.txt'):
                (root / kind / 'Annotation' / text).parent.mkdir(parents=True, exist_ok=True)
                (root / kind / 'Annotation' / text).write_text('box')
    image(root / 'aircraft' / 'Annotation' / 'preview.jpg')
    (root / 'README.md').write_text('x')
    (root / 'aircraft' / 'Thumbs.db').write_bytes(b'x')


def write_chaoyang(root):
    labels = {}
    for split, count in (('train', 7), ('test', 5)):
        labels[split] = [dict(name=f'{split}/x{i}-{i % 4}.JPG', label=i % 4, label_A=0) for i in range(count)]
        for entry in labels[split]:
            image(root / entry['name'], 40 * entry['label'])
        (root / f'{split}.json').write_text(json.dumps(labels[split]))
    return labels


def files_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def test_the_published_sizes_agree_with_the_configs(tool):
    from mmcluster.recipes import PartReader, compose
    reader = PartReader()
    for name, published in tool.SETS.items():
        cfg = compose(dict(alone=dict(parts=[f'data/{name}'])), 'alone', reader.read)
        source = cfg['train_dataloader']['dataset']['source']
        assert source['root'] == f'data/{published.folder}' and source['splits'] is None
        text = reader.find(f'data/{name}').read_text()
        assert f'{published.images:,}' in text or str(published.images) in text
        known = isinstance(published.classes, dict)
        assert not known or sum(published.classes.values()) == published.images
        assert f'in {len(published.classes) if known else published.classes} classes' in text


@pytest.mark.parametrize('source, out', [('RSOD/RSOD-Dataset', 'RSOD'), ('RSOD', 'RSOD/new/made')])
def test_source_and_result_inside_each_other(tool, tmp_path, capsys, source, out):
    """Nobody is told to remove the folder that holds the images."""
    write_rsod(tmp_path / source)
    assert tool.main(['rsod', str(tmp_path / 'RSOD'), '--out', str(tmp_path / out), '--expect', '14']) == 1
    said = capsys.readouterr().err
    assert re.search(r'lies inside .*move one of them away', said) and 'Remove' not in said
    assert not (tmp_path / 'RSOD' / 'new').exists()


@pytest.mark.parametrize('copy', [False, True])
def test_rsod_without_annotations(tool, tmp_path, monkeypatch, capsys, copy):
    monkeypatch.setenv('MMCLUSTER_DATA', str(tmp_path / 'data'))
    write_rsod(tmp_path / 'down' / 'RSOD-Dataset')
    arguments = ['rsod', str(tmp_path / 'down'), '--expect', '14'] + ['--copy'] * copy
    assert tool.main(arguments) == 0
    text = capsys.readouterr().out
    assert '14 images in 4 classes; other class sizes than published: aircraft 2 instead of 446' in text
    out = tmp_path / 'data' / 'RSOD'
    original = tmp_path / 'down' / 'RSOD-Dataset' / 'aircraft' / 'JPEGImages' / 'aircraft_0.JPG'
    assert (out / 'aircraft' / 'aircraft_0.JPG').samefile(original) is not copy
    assert Counter(name.split('/')[0] for name in files_of(out)) == dict(aircraft=2, oiltank=3, overpass=4, playground=5)
    for root in (out, tmp_path / 'down' / 'RSOD-Dataset'):      # the original layout can be read as it is, too
        source = ClassFolderSource(root, splits=None)
        assert source.classes == ('aircraft', 'oiltank', 'overpass', 'playground')
        assert source.load(len(source) - 1).size == (11, 13)
    assert len(ClassFolderSource(out, splits=None)) == 14
    assert tool.main(arguments) == 0, 'it is there already'
    (out / 'aircraft' / 'aircraft_0.JPG').unlink()
    before = files_of(out)
    assert tool.main(arguments) == 1 and files_of(out) == before
    assert 'differs from its source in 1 files' in capsys.readouterr().err


def test_chaoyang_from_its_label_files(tool, tmp_path, capsys):
    labels = write_chaoyang(tmp_path / 'down' / 'chaoyang-data')
    out = tmp_path / 'data' / 'image'
    assert tool.main(['chaoyang', str(tmp_path / 'down'), '--out', str(out), '--expect', '12']) == 0
    assert 'adenocarcinoma 3, adenoma 2, normal 4, serrated 3' in capsys.readouterr().out
    expected = {f"{CLASSES[entry['label']]}/{split}_{Path(entry['name']).name}"
                for split in labels for entry in labels[split]}
    assert set(files_of(out)) == expected
    dataset = IndexedDataset(ClassFolderSource(out, splits=None), cache=False)
    red = dataset[list(range(12))]['batch'].images[0][:, 0, 0, 0].int()
    known = [40 * CLASSES.index(dataset.classes[label]) for label in dataset.labels]
    assert (red - red.new_tensor(known)).abs().max() <= 2
    inside = ['chaoyang', str(tmp_path / 'down'), '--out', str(tmp_path / 'down' / 'chaoyang-data' / 'image')]
    assert [tool.main([*inside, '--expect', '12']) for _ in range(2)] == [0, 0], 'labels tell what is a source'
    assert tool.main(['chaoyang', str(out), '--out', str(out), '--expect', '12']) == 0, 'made folders can be counted'


@pytest.mark.parametrize('entry', [dict(name='train/x0-0.JPG', label=4), dict(name='train/x0-0.JPG', label='0'),
                                   dict(name='../x.JPG', label=0), dict(name='/x.JPG', label=0), dict(label=0), 3,
                                   dict(name='train/x0-0.JPG', label=None)])
def test_odd_labels_are_refused(tool, tmp_path, capsys, entry):
    write_chaoyang(tmp_path / 'down')
    (tmp_path / 'down' / 'test.json').write_text(json.dumps([entry]))
    assert tool.main(['chaoyang', str(tmp_path / 'down'), '--out', str(tmp_path / 'out'), '--expect', '8']) == 1
    assert 'entry 0 of' in capsys.readouterr().err and not (tmp_path / 'out').exists()


def test_incomplete_sources_are_refused(tool, tmp_path, capsys):
    out = tmp_path / 'out'
    write_chaoyang(tmp_path / 'labels')
    (tmp_path / 'labels' / 'test' / 'x3-3.JPG').unlink()
    write_rsod(tmp_path / 'rsod')
    for i in range(21):
        image(tmp_path / 'UCMerced_LandUse' / 'Images' / f'class{i}' / f'{i}.tif')
    for name, source, said in (('chaoyang', 'labels', '1 images that the label files name are missing'),
                               ('rsod', 'rsod', 'found 14 images in 4 classes, expected 976 in 4: the source is incom'),
                               ('uc_merced', 'UCMerced_LandUse', 'found 21 images in 21 classes, expected 2100 in 21'),
                               ('siri_whu', 'rsod', 'found 14 images in 4 classes, expected 2400 in 12'),
                               ('aid', 'none', 'none is not a folder')):
        assert tool.main([name, str(tmp_path / source), '--out', str(out)]) == 1
        assert said in capsys.readouterr().err and not out.exists()
    (tmp_path / 'labels' / 'train.json').unlink()
    assert tool.main(['chaoyang', str(tmp_path / 'labels'), '--out', str(out)]) == 1
    assert 'train.json' in capsys.readouterr().err and not out.exists()


def test_nothing_stays_of_a_conversion_that_fails(tool, tmp_path, monkeypatch):
    for i in range(21):
        image(tmp_path / 'down' / 'Images' / f'class{i:02}' / 'a.TIF')
    (tmp_path / 'down' / 'Images' / '.DS_Store').write_bytes(b'x')
    (tmp_path / 'down' / '__MACOSX').mkdir()
    out = tmp_path / 'data' / 'UC'
    arguments = ['uc_merced', str(tmp_path / 'down'), '--out', str(out), '--expect', '21', '--copy']
    copied = []

    def failing(source, target):
        copied.append(target)
        if len(copied) == 5:
            raise OSError('disk full')
        Path(target).write_bytes(source.read_bytes())

    monkeypatch.setattr(tool.shutil, 'copy2', failing)
    assert tool.main(arguments) == 1 and list((tmp_path / 'data').iterdir()) == [] and len(copied) == 5
    assert tool.main(arguments) == 0 and len(files_of(out)) == 21
    image(tmp_path / 'down' / 'Images' / 'class00' / 'deep' / 'a.TIF')
    assert tool.main(arguments) == 1, 'two images of one name'


@pytest.mark.parametrize('content', [b'', b'[{"name": "a.jpg", ', '[{"name": "ä.jpg"}]'.encode('cp1252'), b'{"a": 1}'])
def test_damaged_label_files_are_named(tool, tmp_path, capsys, content):
    write_chaoyang(tmp_path / 'down')
    (tmp_path / 'down' / 'test.json').write_bytes(content)
    assert tool.main(['chaoyang', str(tmp_path / 'down'), '--out', str(tmp_path / 'out')]) == 1
    assert re.search('test.json (cannot be read|must hold a list)', capsys.readouterr().err)
    assert not (tmp_path / 'out').exists()
