"""Values that configs take from the environment."""
import pytest
from mmengine.config import Config
from reduced import CONFIGS, read_stage

from mmcluster.environment import substitute
from mmcluster.recipes import PartReader, compose

FOLDER, IMBALANCED = 'propos_clusmatch_r18stl_folder64', 'spice_r18_cifar10_imbalanced'


def source_of(name):
    """Source of a part, or of the first stage of a recipe."""
    if '/' in name:
        return compose(dict(any=dict(parts=[name])), 'any', PartReader().read)['train_dataloader']['dataset']['source']
    cfg = Config.fromfile(CONFIGS / f'{name}.py', lazy_import=False)
    cfg = read_stage(f'{name}/{next(iter(cfg.stages))}')
    return cfg.train_dataloader.dataset.source


@pytest.mark.parametrize('folder', ["it's", 'say "x"', r'C:\new\d pics', 'a{{b}}', '$(x) #y'])
@pytest.mark.parametrize('name', [FOLDER, 'data/photographs'])
def test_any_folder(monkeypatch, name, folder):
    monkeypatch.setenv('IMAGES', folder)
    assert source_of(name)['root'] == folder
    monkeypatch.delenv('IMAGES')
    assert source_of(name)['root'] == 'data/images'


def test_numbers(monkeypatch):
    monkeypatch.setenv('CLUSTERS', '12')
    for stage in ('propos', 'clusmatch'):
        model = read_stage(f'{FOLDER}/{stage}').model
        assert (model if stage == 'propos' else model.head).num_clusters == 12
    monkeypatch.setenv('ZETA', '0.4')
    assert source_of(IMBALANCED).zeta == 0.4


@pytest.mark.parametrize('variable, value, name', [
    ('CLUSTERS', 'abc', FOLDER), ('CLUSTERS', '"x"', FOLDER), ('CLUSTERS', '2.5', FOLDER),
    ('ZETA', 'x', IMBALANCED)])
def test_a_wrong_number_is_named(monkeypatch, variable, value, name):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=f"variable {variable} must be a value such as .*, got '{value}'"):
        source_of(name)


def test_where_a_value_stands(monkeypatch):
    text = "a = '{{$A:x}}/y'\nb = {{$B:1}}\nc = dict(d={{'$C:0.5'}}, e=\"{{$A:x}}{{ $D:z }}\", f={{_base_.g}})\n"
    monkeypatch.setenv('A', '')
    assert substitute(text) == ("a = 'x/y'\nb = 1\nc = dict(d=0.5, e=\"xz\", f={{_base_.g}})\n", {})
    values = dict(A='\'"\\{{_base_.g}}\n\U0001f4f7\udce9', B='-7', C='2', D="'")
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    changed, used = substitute(text)
    found = {}
    exec(changed.replace('{{_base_.g}}', '0'), found)
    assert used == values and (found['a'], found['b']) == (values['A'] + '/y', -7)
    assert found['c'] == dict(d=2, e=values['A'] + "'", f=0)


def test_nothing_of_a_variable_is_run(monkeypatch, tmp_path):
    monkeypatch.setenv('CLUSTERS', f'__import__("os").mkdir({str(tmp_path / "ran")!r})')
    monkeypatch.setenv('IMAGES', f"' + str(__import__('os').mkdir({str(tmp_path / 'ran')!r})) + '")
    with pytest.raises(ValueError, match='CLUSTERS must be a value such as 10'):
        source_of(FOLDER)
    monkeypatch.setenv('CLUSTERS', '3')
    source_of(FOLDER)
    assert not (tmp_path / 'ran').exists()


def test_a_variable_without_a_default_must_be_set(monkeypatch):
    monkeypatch.delenv('NOWHERE', raising=False)
    with pytest.raises(KeyError, match='needs the environment variable NOWHERE'):
        substitute("a = '{{$NOWHERE:}}'")
