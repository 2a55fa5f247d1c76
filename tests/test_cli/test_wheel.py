"""What a wheel holds is enough, without the repository: the command, configs, tools, metafiles, templates."""
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """A wheel, built from a copy, since a build leaves folders beside its sources."""
    folder = tmp_path_factory.mktemp('wheel')
    source = folder / 'source'
    for name in ('mmcluster', 'configs', 'experiments', 'tools', 'zoo', 'requirements'):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns('__pycache__', '.mim'))
    for name in ('setup.py', 'setup.cfg', 'MANIFEST.in', 'README.md', 'LICENSE', 'model-index.yml'):
        shutil.copy2(ROOT / name, source)
    subprocess.run([sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps', '--no-build-isolation', '--no-index',
                    '-w', str(folder), str(source)], check=True)
    assert not (source / 'mmcluster' / '.mim').exists(), 'a copy in the sources would grow old'
    return next(folder.glob('*.whl'))


@pytest.fixture(scope='module')
def installed(wheel, tmp_path_factory):
    """An environment whose mmcluster is the wheel's; other packages are those of this one."""
    site = tmp_path_factory.mktemp('site')
    subprocess.run([sys.executable, '-m', 'pip', 'install', '-q', '--no-deps', '--no-index', '--target', str(site),
                    str(wheel)], check=True)
    return site


def run(site, cwd, *argv):
    done = subprocess.run([sys.executable, '-P', *argv], cwd=cwd, capture_output=True, text=True,
                          env={**os.environ, 'PYTHONPATH': str(site), 'OMP_NUM_THREADS': '1'})
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_wheel_holds_everything(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for file in [*(ROOT / 'configs').rglob('*.py'), *(ROOT / 'configs').glob('*.yml'), *(ROOT / 'tools').rglob('*.py'),
                 *(ROOT / 'tools').glob('*.sh'), ROOT / 'model-index.yml']:
        assert f'mmcluster/.mim/{file.relative_to(ROOT).as_posix()}' in names
    for file in (ROOT / 'mmcluster' / 'report' / 'templates').rglob('*.*'):
        assert file.relative_to(ROOT).as_posix() in names
    assert not [name for name in names if '__pycache__' in name or name.startswith(('tests/', 'configs/'))]


def test_the_command_works_outside_the_repository(installed, photos, tmp_path, cache):
    assert str(installed) in run(installed, tmp_path, '-c', 'import mmcluster; print(mmcluster.__file__)')
    said = run(installed, tmp_path, str(installed / 'bin' / 'mmcluster'), 'cluster', str(photos), '--k', '3', '--limit',
               '20', '--workers', '0')
    assert 'in 3 clusters' in said and (tmp_path / 'clusters' / 'photos' / 'report.html').stat().st_size > 10000


def test_recipes_are_written_and_shown_outside_the_repository(installed, tmp_path):
    run(installed, tmp_path, '-m', 'mmcluster', 'configs', 'new', 'moco/cnn_digits', 'clusmatch_digits', 'digits')
    said = run(installed, tmp_path, '-m', 'mmcluster', 'configs', 'show', 'moco_clusmatch_cnn_digits.py',
               '--stage', 'clusmatch')
    assert "type='Boost'" in said and "type='MoCo'" in said


def test_a_recipe_trains_outside_the_repository(installed, tmp_path):
    said = run(installed, tmp_path, '-m', 'mmcluster', 'train', 'propos_clusmatch_cnn_digits', '--epochs', '1',
               '--no-validate')
    assert 'clusmatch' in said
    assert (tmp_path / 'work_dirs' / 'propos_clusmatch_cnn_digits' / 'clusmatch' / 'done.json').is_file()
