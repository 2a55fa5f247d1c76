"""Values that configs take from the environment."""
import pytest
from mmengine.config import Config
from reduced import CONFIGS


def source_of(name):
    return Config.fromfile(CONFIGS / name, lazy_import=False).train_dataloader.dataset.source


@pytest.mark.parametrize('folder', ["it's", 'say "x"', r'C:\new\d pics', 'a{{b}}', '$(x) #y'])
@pytest.mark.parametrize('name', ['propos_gcc_r18_folder64.py', '_base_/datasets/class_folders224.py'])
def test_any_folder(monkeypatch, name, folder):
    monkeypatch.setenv('IMAGES', folder)
    assert source_of(name).root == folder
    monkeypatch.delenv('IMAGES')
    assert source_of(name).root == 'data/images'


def test_numbers(monkeypatch):
    monkeypatch.setenv('CLUSTERS', '12')
    for name in ('propos_gcc_r18_folder64.py', 'clusmatch_gcc_r18_folder64.py'):
        assert Config.fromfile(CONFIGS / name, lazy_import=False).num_clusters == 12
    monkeypatch.setenv('ZETA', '0.4')
    assert source_of('_base_/datasets/cifar10_imbalanced.py').zeta == 0.4


@pytest.mark.parametrize('variable, value, name', [
    ('CLUSTERS', 'abc', 'propos_gcc_r18_folder64.py'), ('CLUSTERS', '1', 'propos_gcc_r18_folder64.py'),
    ('CLUSTERS', '2.5', 'propos_gcc_r18_folder64.py'), ('ZETA', 'x', '_base_/datasets/cifar10_imbalanced.py')])
def test_a_wrong_number_is_named(monkeypatch, variable, value, name):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=f"variable {variable} must be a .*number.*'{value}'"):
        source_of(name)
