"""Known lists of ImageNet classes, picked out of a larger folder."""
import re

import pytest
from PIL import Image

from mmcluster.datasets import ClassFolderSource
from mmcluster.datasets.class_lists import CLASS_LISTS, class_folders


def write(root, folders):
    for folder in folders:
        (root / folder).mkdir(parents=True)
        for i in range(2):
            Image.new('RGB', (8, 6)).save(root / folder / f'{folder}_{i}.JPEG')


def test_the_lists():
    assert {name: len(content) for name, content in CLASS_LISTS.items()} == dict(
        imagenet10=10, imagenet_dogs=15, imagenet50=50, imagenet100=100, imagenet200=200)
    for content in CLASS_LISTS.values():
        assert all(re.fullmatch(r'n\d{8}', folder) for folder in content) and list(content) == sorted(content)
        assert len(set(content.values())) == len(content)
    shared = set(CLASS_LISTS['imagenet10']) & set(CLASS_LISTS['imagenet_dogs'])
    assert shared == {'n02085936'} and all(CLASS_LISTS[name]['n02085936'] == 'Maltese dog' for name in ('imagenet10', 'imagenet_dogs'))
    small, middle, large = (CLASS_LISTS[name].items() for name in ('imagenet50', 'imagenet100', 'imagenet200'))
    assert small < middle < large, 'each holds the smaller one, with the same names'
    assert all(len({content[folder] for content in CLASS_LISTS.values() if folder in content}) == 1
               for content in CLASS_LISTS.values() for folder in content), 'one name for a class in all lists'
    assert class_folders(('b', 'a')) == (['b', 'a'], ['b', 'a'])


@pytest.mark.parametrize('name', CLASS_LISTS)
def test_a_list_is_picked_out_of_a_full_folder(tmp_path, name):
    every = sorted({folder for content in CLASS_LISTS.values() for folder in content} | {'n00000001', 'n99999999'})
    write(tmp_path / 'train', every)
    source = ClassFolderSource(tmp_path / 'train', splits=None, classes=name)
    assert [path.split('/')[0] for path in source.paths[::2]] == list(CLASS_LISTS[name])
    assert source.labels.tolist() == [label for label in range(len(CLASS_LISTS[name])) for _ in range(2)]
    assert source.classes == tuple(CLASS_LISTS[name].values()) and source.name == name
    other = ClassFolderSource(tmp_path, splits='train', classes=list(CLASS_LISTS[name]))
    assert other.labels.tolist() == source.labels.tolist() and other.classes == tuple(CLASS_LISTS[name])


def test_faults(tmp_path):
    write(tmp_path, [folder for folder in CLASS_LISTS['imagenet10'] if folder != 'n04254680'])
    with pytest.raises(FileNotFoundError, match=r"class folders \['n04254680'\] are not in every split"):
        ClassFolderSource(tmp_path, splits=None, classes='imagenet10')
    with pytest.raises(ValueError, match="no class list 'imagenet11'; known lists: .*'imagenet10', 'imagenet_dogs'"):
        ClassFolderSource(tmp_path, splits=None, classes='imagenet11')
    write(tmp_path, [f'm{i:03}' for i in range(40)])
    with pytest.raises(FileNotFoundError) as error:
        ClassFolderSource(tmp_path, splits=None, classes=['absent'])
    assert 'm019, ...' in str(error.value) and 'm020' not in str(error.value)
