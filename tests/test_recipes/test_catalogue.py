"""Listing, showing, writing recipes; what is generated from them; combinations that have no file train."""
import shutil
import sys

import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from reduced import CONFIGS, forget, read_stage, train

from mmcluster.cli import main
from mmcluster.recipes import recipe
from mmcluster.recipes.catalogue import entries, header_of, new, show
from mmcluster.recipes.listings import stale
from mmcluster.recipes.stages import check_stages

pytestmark = pytest.mark.usefixtures('engine')
DIGITS = ['select/by_embedding', 'views/weak_strong_digits']
# (base, booster, data, further parts): none of them has a file.
COMBINATIONS = [
    ('moco/cnn_digits', 'clusmatch_digits', 'digits', ()), ('simclr/cnn_digits', 'clusmatch_digits', 'digits', ()),
    ('propos/cnn_digits', 'fixmatch', 'digits', ['boosters/digits']),
    ('cc/cnn_digits', 'clusmatch', 'digits', ['boosters/digits', 'select/by_head']),
    ('moco/r18', 'clusmatch_release', 'cifar10', ()), ('propos/r18_stl', 'clusmatch_release', 'stl10', ()),
    ('propos/r18', 'clusmatch_release', 'svhn_split', ()), ('simclr/r18', 'clusmatch_release', 'cifar20', ())]


def run(*args):
    code = main(['configs', *map(str, args)])
    if code:
        sys.exit(code)


def test_every_config_is_listed(capsys):
    found = {entry.name: entry for entry in entries()}
    assert set(found) == {path.stem for path in CONFIGS.glob('*.py')} and all(entry.what for entry in found.values())
    entry = found['propos_clusmatch_r18_cifar10']
    assert entry.stages == ('propos', 'clusmatch') and entry.data == 'cifar10' and 'ACC 0.949' in entry.paper
    assert entry.what.startswith('ProPos, then ClusMatch on it, on CIFAR-10')
    assert not any(word in entry.what for entry in found.values() for word in ('tools/', 'No figure'))
    run('ls', 'propos*cifar20')
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 + len(list(CONFIGS.glob('propos*cifar20*.py'))) and lines[-1].startswith('measured: ')
    assert lines[1].split()[:4] == ['propos_clusmatch_r18_cifar20', 'propos', 'clusmatch', 'cifar20']


def test_the_table_has_combinations_without_a_file(capsys):
    run('ls', '--table')
    lines = [[cell.strip() for cell in line.split('|')[1:-1]] for line in capsys.readouterr().out.splitlines()]
    head, rows = lines[0], {line[0]: line for line in lines[2:] if line}
    assert '+' in (rows['moco'][head.index('fixmatch')], rows['simclr'][head.index('fixmatch')])
    assert 'digits' in rows['propos'][head.index('clusmatch')].split(', ')
    assert 'asd' not in rows or '+' not in rows['asd'][head.index('-')]


def test_slips_on_the_command_line(capsys):
    with pytest.raises(SystemExit) as ended:
        run('show', 'propos_clusmatch_cnn_digits')
    err = capsys.readouterr().err
    assert ended.value.code == 2 and 'Traceback' not in err and "--stage, ['propos', 'clusmatch']" in err
    run('ls', 'nothing*like*this')
    said = capsys.readouterr()
    assert not said.out and 'no recipe fits' in said.err


def test_a_header_of_several_lines(tmp_path):
    (tmp_path / 'x.py').write_text('# Some method on some\n# data. No figure of the paper corresponds.\n'
                                   '# python x.py\na = 1\n')
    assert header_of(tmp_path / 'x.py') == ('Some method on some data', '')


@pytest.mark.parametrize('name, stage', [('propos_clusmatch_cnn_digits', 'clusmatch'), ('propos_cnn_digits', None)])
def test_what_is_shown_is_an_ordinary_config(tmp_path, name, stage):
    path = tmp_path / 'shown.py'
    path.write_text(show(CONFIGS / f'{name}.py', stage, {'facts.val_interval': 3}))
    cfg = Config.fromfile(path, lazy_import=False)
    wanted = read_stage(f'{name}/{stage}' if stage else name).to_dict()
    wanted['train_cfg']['val_interval'] = 3
    wanted.pop('work_dir')
    assert cfg.to_dict() == wanted and 'stages' not in cfg


def test_facts_of_a_stage_are_shown_as_the_recipe_ends_up_with_them():
    lines = show(CONFIGS / 'propos_clusmatch_cnn_digits.py', 'propos', {'stages.propos.facts.batch': 96}).splitlines()
    assert 'stages.propos.facts.<fact>' in lines[0]
    found = dict(line.lstrip('# ').split(' = ', 1) for line in lines[1:] if line.startswith('#'))
    assert found['batch'] == '96' and found['decay'] == '0.996' and found['psl_weight'] == '0.1'
    assert found['num_clusters'] == '10' and not any('.' in fact for fact in found)


def test_what_is_shown_trains(tmp_path, capsys):
    run('show', 'propos_cnn_digits', '--cfg-options', 'facts.epochs=1', 'facts.rate_warmup=0')
    (tmp_path / 'shown.py').write_text(capsys.readouterr().out)
    cfg = Config.fromfile(tmp_path / 'shown.py', lazy_import=False)
    cfg.merge_from_dict(dict(
        work_dir=str(tmp_path / 'work'), log_level='ERROR', model=dict(bank=dict(num_samples=1797)),
        train_dataloader=dict(sampler=dict(length=2))))
    forget()
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.iter == 2 and (tmp_path / 'work' / 'epoch_1.pth').is_file()


@pytest.mark.parametrize('base, booster, data, more', COMBINATIONS)
def test_a_combination_without_a_file(tmp_path, base, booster, data, more):
    path = new(base, booster, data, tmp_path, more)
    assert path.stem not in {each.stem for each in CONFIGS.glob('*.py')} and len(path.read_text().splitlines()) <= 7
    cfg = Config.fromfile(path, lazy_import=False)
    cfg.work_dir = str(tmp_path / 'work')
    assert check_stages(cfg) == [base.split('/')[0], booster.split('_')[0]]
    if data == 'digits':
        first, second = cfg.stages.values()
        first.options = dict(train_cfg=dict(max_epochs=1), train_dataloader=dict(sampler=dict(length=2)))
        second.facts = dict(epochs=1, length=2)
        assert list(train(cfg)) == list(cfg.stages)
        before = {file: file.stat().st_mtime_ns for file in (tmp_path / 'work').rglob('*.pth')}
        assert list(train(cfg)) == list(cfg.stages)
        assert {file: file.stat().st_mtime_ns for file in (tmp_path / 'work').rglob('*.pth')} == before, 'all is done'


def test_a_booster_that_leaves_its_selection_open(tmp_path):
    sized = 'boosters/sign_digits'
    path = new('tcl/cnn_sign_digits', 'clusmatch', 'sign_digits', tmp_path, [sized])
    assert f"parts=['boosters/clusmatch', '{sized}', 'select/by_embedding']" in path.read_text()
    path = new('idfd/cnn_sign_digits', 'clusmatch', 'sign_digits', tmp_path, [sized, 'select/by_head'])
    assert f"parts=['boosters/clusmatch', '{sized}', 'select/by_head']" in path.read_text(), 'what is given stays alone'


def test_parts_are_listed_with_what_they_are(capsys):
    run('ls', '--parts', 'boosters/clusmatch*')
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split(maxsplit=1) == ['boosters/clusmatch', 'ClusMatch on any base']
    assert len(lines) == len(list((CONFIGS / 'parts' / 'boosters').glob('clusmatch*.py')))


@pytest.mark.parametrize('base, booster, names', [
    ('parts_of_mine:parts/narrow', None, ['narrow']), ('parts_of_mine:parts/byol/narrow', 'parts_of_mine:fixmatch', ['byol', 'fixmatch']),
    ('narrow', None, ['narrow']), ('my-own/narrow', 'byol_2', ['my_own', 'byol']), ('narrow', 'narrow_2', ['narrow', 'narrow_1']),
    ('class/narrow', None, ['stage_class'])])
def test_parts_of_ones_own_become_stages(tmp_path, monkeypatch, capsys, base, booster, names):
    """Of a package or beside the recipe: a stage is a keyword of a call, whatever the part is called."""
    package, folder = tmp_path / 'site' / 'parts_of_mine', tmp_path / 'here'
    for place in (package / 'parts', package / 'parts' / 'byol', folder / 'parts', folder / 'parts' / 'my-own',
                  folder / 'parts' / 'class'):
        place.mkdir(parents=True)
        (place / 'narrow.py').write_text("parts = ['byol/cnn_digits']\nfacts = dict(epochs=3)\n")
    (package / '__init__.py').write_text('')
    boosters = [package / 'fixmatch.py'] + [folder / 'parts' / 'boosters' / f'{name}_2.py' for name in ('byol', 'narrow')]
    for file in boosters:
        file.parent.mkdir(exist_ok=True)
        file.write_text("parts = ['boosters/clusmatch_digits']\n")
    monkeypatch.syspath_prepend(tmp_path / 'site')
    cfg = Config.fromfile(new(base, booster, 'digits', folder), lazy_import=False)
    assert list(cfg.stages) == names and cfg.stages[names[0]].parts == [base]
    monkeypatch.chdir(folder)
    run('ls', '--parts', 'my-own/*')
    assert capsys.readouterr().out.split() == ['my-own/narrow']


def test_slips_of_new(tmp_path):
    with pytest.raises(FileNotFoundError, match="no part 'propos/r81'.*did you mean 'propos/r18'"):
        new('propos/r81', None, 'cifar10', tmp_path)
    with pytest.raises(FileNotFoundError, match="no part 'cifar01'.*did you mean 'cifar10'"):
        new('propos/r18', None, 'cifar01', tmp_path)
    with pytest.raises(ValueError, match="stage 'learner' needs the fact 'epochs'"):
        new('propos/r18', 'learner', 'cifar10', tmp_path)
    with pytest.raises(ValueError, match=r"stage 'byol' could not start: BYOL cannot take images of \(1, 8, 8\)"):
        new('byol/cnn_sign_digits', None, 'digits', tmp_path, ['views/affine_digits'])
    assert not list(tmp_path.iterdir())
    new('propos/r18', None, 'cifar10', tmp_path)
    with pytest.raises(FileExistsError, match='propos_r18_cifar10.py is there already'):
        new('propos/r18', None, 'cifar10', tmp_path)


def test_a_part_of_a_plug_in_package(tmp_path, monkeypatch):
    package = tmp_path / 'sharp_clusters'
    package.mkdir()
    (package / '__init__.py').write_text('')
    (package / 'cold.py').write_text("parts = ['propos/cnn_digits']\nmodel = dict(temperature=0.1)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / 'cold.py').write_text("data = 'data/digits'\ntrain_dataloader = dict(sampler=dict(length=2))\n"
                                      "stages = dict(propos=dict(parts=['sharp_clusters:cold'], facts=dict(epochs=1)))")
    cfg = Config.fromfile(tmp_path / 'cold.py', lazy_import=False)
    cfg.work_dir = str(tmp_path / 'work')
    assert recipe.stage_config(cfg, 'propos', {}).model.temperature == 0.1
    assert list(train(cfg)) == ['propos']


@pytest.fixture
def folder(tmp_path):
    """Two recipes with the files that are generated from them."""
    (tmp_path / 'parts').mkdir()
    for name in ('README.md', 'metafile_propos.yml'):
        shutil.copy(CONFIGS / name, tmp_path / name)
    for name in ('propos_cnn_digits', 'propos_r18_cifar20'):
        shutil.copy(CONFIGS / f'{name}.py', tmp_path / f'{name}.py')
    return tmp_path


def test_stale_files_are_written_anew(folder):
    with pytest.raises(SystemExit):
        run('check', '--folder', folder)
    assert stale(folder) == {}
    run('check', '--folder', folder)
    text = (folder / 'metafile_propos.yml').read_text()
    assert text.count('- Name: propos_') == 2 and 'Epochs: 200' in text
    path = folder / 'propos_cnn_digits.py'
    path.write_text(path.read_text().replace('# ProPos on', '# A run of ProPos on') + "facts = dict(epochs=7)\n")
    found = stale(folder)
    assert sorted(file.name for file in found) == ['README.md', 'metafile_propos.yml']
    assert 'Epochs: 7' in found[folder / 'metafile_propos.yml']
    assert '| A run of ProPos on' in found[folder / 'README.md']


def test_a_recipe_that_lacks_views_is_not_written(tmp_path):
    with pytest.raises(ValueError, match=r"stages.fixmatch: model.data_preprocessor.views has none for .*'labelled'"):
        new('byol/cnn_digits', 'fixmatch', 'digits', tmp_path)
    assert not list(tmp_path.iterdir())
    assert new('byol/cnn_digits', 'fixmatch', 'digits', tmp_path, ['boosters/digits']).is_file()
