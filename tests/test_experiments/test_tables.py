"""Tables as files: what is read, shared, refused, run, resumed and printed."""
import dataclasses
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from killed import Killed
from mmengine.config import Config
from PIL import Image
from reduced import ROOT
from sklearn.datasets import load_digits

from mmcluster.cli import main
from mmcluster.datasets import ArraySource, DigitsSource, IndexedDataset, TrialSource
from mmcluster.engine import lock
from mmcluster.engine.lock import locked
from mmcluster.experiments import cross, read_table, running, table_file
from mmcluster.experiments.controls import raw_pixels
from mmcluster.experiments.figure import draw, history
from mmcluster.experiments.jobs import Job, plans, prefixes, unique_jobs
from mmcluster.experiments.printing import as_csv, latex, markdown, name_of
from mmcluster.experiments.results import Result, Value
from mmcluster.experiments.running import run_jobs
from mmcluster.experiments.slurm import levels, submit
from mmcluster.recipes.records import digests

pytestmark = pytest.mark.usefixtures('engine')
TEXT = """
title = 'Two losses'
metrics = ['acc', 'nmi']
data = 'data/digits'
cc = dict(cc=dict(parts=['cc/cnn_digits']))
weight = 'stages.clusmatch.options.model.pseudo_label_loss.npl_weight'
both = dict(**cc, clusmatch=dict(on='cc', parts=['boosters/clusmatch_digits']))
seeds = [0, 1]
columns = {'digits': {}, 'more': dict(options={'facts.share': 0.3})}
rows = {
    'pixels': dict(stages=cc, control='pixels', cells={'more': None}),
    'base': dict(stages=cc, cells={'more': None}),
    'all': dict(stages=both, paper={'digits': dict(acc=0.9, nmi=(0.8, 0.1))}),
    'without': dict(stages=both, options={weight: 0.}, source='head', paper={'digits': dict(acc=0.8)}),
    'other': dict(quoted='Table 1', paper={'digits': dict(acc=0.5)}, cells={'more': None})}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'mine' / 'losses.py'
    path.parent.mkdir()
    path.write_text(TEXT)
    return path


def run(*arguments):
    code = main(['experiment', *map(str, arguments)])
    if code:
        sys.exit(code)


# ---- files

def test_cells_are_rows_by_columns_with_what_holds_for_all(file):
    table = read_table(file)
    assert table.name == 'mine/losses' and [cell.title for cell in table.cells] == [
        'pixels, digits', 'base, digits', 'all, digits', 'all, more', 'without, digits', 'without, more',
        'other, digits']
    cells = {cell.title: cell for cell in table.cells}
    assert cells['all, digits'].paper == dict(acc=(0.9, None), nmi=(0.8, 0.1)) and not cells['all, more'].paper
    assert cells['without, more'].spec['options'] == {
        'facts.share': 0.3, 'stages.clusmatch.options.model.pseudo_label_loss.npl_weight': 0.}
    assert not cells['other, digits'].runs
    assert {cell.row for cell in table.only(rows=['all']).cells} == {'all'}
    with pytest.raises(ValueError, match="no row 'al' .did you mean 'all'"):
        table.only(rows=['al'])


@pytest.mark.parametrize('old, new, message', [
    ("title = 'Two losses'", '', 'title missing'), ("metrics = ['acc', 'nmi']", "metric = ['acc']", 'metrics'),
    ("control='pixels'", "control='pixel'", 'control must be one of'),
    ("source='head'", "sources='head'", "did you mean 'source'"),
    ("source='head'", "source='kmean'", "no metric of 'kmean' .did you mean 'kmeans'"),
    ("source='head'", "source='knn'", "no metric of 'knn'"),
    ("options={weight: 0.}", "options={'randomness.seed': 0}", "'clusmatch' states randomness.seed, and .* by seeds="),
    ("data = 'data/digits'", "data = 'data/digits'\noptions = {'stages.cc.options.randomness.seed': 7}", "'cc' states randomness.seed"),
    ("dict(parts=['cc/cnn_digits'])", "dict(parts=['cc/cnn_digits'], options=dict(randomness=dict(seed=7)))", "'cc' states randomness.seed"),
    ("stages=both, paper", 'paper', 'give it a recipe or stages'),
    ("npl_weight'", "np1_weight'", "np1_weight .did you mean 'npl_weight'"),
    ("on='cc'", "on='c'", 'no other stage'), ("source='head'", "stage='clus'", "no stage 'clus'"),
    ("dict(stages=cc, cells", "dict(recipe='cc_cnn_digit', cells", "did you mean 'cc_cnn_digits'"),
    ("dict(stages=cc, control='pixels', ", "dict(recipe='moco_cnn_digits', source='head', ", 'no metric of')])
def test_what_is_refused_before_the_first_run(file, tmp_path, old, new, message):
    assert old in TEXT
    file.write_text(TEXT.replace(old, new))
    with pytest.raises((FileNotFoundError, ValueError), match=message):
        plans(read_table(file).cells, str(tmp_path))


def test_a_table_is_found_by_its_name():
    assert table_file('house/digits') == ROOT / 'experiments' / 'house' / 'digits.py'
    with pytest.raises(FileNotFoundError, match="did you mean 'house/digits'"):
        table_file('house/digit')


# ---- runs

def test_every_base_meets_every_booster():
    simclr, scan = dict(parts=['a']), dict(on='simclr', parts=['b'])
    rows = cross({'SimCLR': dict(simclr=simclr), 'SCAN': dict(simclr=simclr, scan=scan)},
                 {'': {}, ' + ASD': dict(asd=['c', 'd'])}, ['e'])
    assert list(rows) == ['SimCLR', 'SimCLR + ASD', 'SCAN', 'SCAN + ASD']
    assert rows['SimCLR'] == dict(stages=dict(simclr=dict(parts=['a', 'e'])))
    assert rows['SCAN + ASD'] == dict(stages=dict(
        simclr=dict(parts=['a', 'e']), scan=dict(on='simclr', parts=['b', 'e']),
        asd=dict(on='scan', parts=['c', 'd', 'e'])))
    assert simclr == dict(parts=['a']), 'bases are shared, so they stay as they are'
    for clash in ({'': {}, ' + ASD': dict(scan=['c'])}, {' + B': {}, ' + B + B': {}}):
        with pytest.raises(ValueError, match='another name'):
            cross({'SCAN': dict(scan=scan), 'SCAN + B': dict(simclr=simclr)}, clash)


def test_cells_that_begin_alike_share_their_first_stages(file, tmp_path):
    found = plans(read_table(file).cells, str(tmp_path))
    jobs = unique_jobs(found)
    bases = {job.folder for job in jobs if job.stage == 'cc' and not job.control}
    assert len(bases) == 2, 'one for each seed'
    assert [job.seed for job in jobs] == [0] * 6 + [1] * 6, 'all rows have a seed before any has the next'
    boosted = [job for job in jobs if job.stage == 'clusmatch']
    assert len(boosted) == 8 and {folder for job in boosted for folder in job.needs.values()} == bases
    assert all(f'seed_{job.seed}' in folder for job in boosted for folder in job.needs.values())
    digests = {cell.title: {one.digest for one in each} for cell, each in found.items()}
    assert all(len(one) == 1 for one in digests.values()), 'seeds have one config'
    assert len(set.union(*digests.values())) == len(digests)
    assert [len(level) for level in levels(jobs)] == [4, 8]
    assert {cell.row: each[0].prefix for cell, each in found.items()}['without'] == 'head'


def test_a_killed_table_goes_on_and_what_is_done_is_read(file, tmp_path, capsys, kill):
    arguments = ['run', file, '--reduced', '--seeds', 3, '--columns', 'digits', '--work-dir', tmp_path]
    kill(3)     # in the second epoch of the base
    with pytest.raises(SystemExit):
        run(*arguments)
    said = capsys.readouterr().out
    assert 'Killed' in said and '| all |' in said
    run('status', *arguments[1:])
    assert '1 done, 1 started, 2 missing' in capsys.readouterr().out
    kill(1)     # comes only to who starts anew
    run(*arguments, '--rows', 'base')
    kill(None)
    assert '1 runs, 0 done' in capsys.readouterr().out
    run(*arguments)
    said = capsys.readouterr().out
    assert '4 runs, 2 done' in said
    root = tmp_path / 'reduced'
    folder = next(path for path in (root / 'runs').glob('cc_*/seed_3'))
    row = next(line for line in said.splitlines() if line.startswith('| all |')).split(' | ')
    assert float(row[2]) > 0.25 and row[3] == '0.900' and re.match(r'[-+]0\.\d{3}$', row[4])
    times = {path: path.stat().st_mtime_ns for path in root.rglob('*.pth')}
    run(*arguments)
    again = capsys.readouterr().out
    assert '4 runs, 4 done' in again and again.partition('**')[2] == said.partition('**')[2]
    assert times == {path: path.stat().st_mtime_ns for path in root.rglob('*.pth')}
    run('table', *arguments[1:], '--format', 'csv')
    assert capsys.readouterr().out.strip().count('\n') == 2 * 5
    assert json.loads((folder / 'summary.json').read_text())['seed'] == 3


def test_a_run_that_fails_leaves_the_others(file, tmp_path):
    cells = read_table(file).only(rows=['base', 'all', 'pixels'], columns=['digits']).cells
    jobs = unique_jobs(plans(cells, str(tmp_path), True, (0,)))
    tried = []

    class Fails(type(jobs[0])):
        def run(self, root):
            tried.append(self.stage)
            if self.stage == 'cc' and not self.control:
                raise Killed('no')

    failed = run_jobs([Fails(**vars(job)) for job in jobs], str(tmp_path), tell=lambda text: None)
    assert tried == ['cc', 'cc'] and len(failed) == 2 and sum('which failed' in text for text in failed.values()) == 1


def test_a_run_of_another_table_is_waited_for(file, tmp_path, capsys):
    job, = unique_jobs(plans(read_table(file).only(rows=['base'], columns=['digits']).cells, str(tmp_path), True, (0,)))
    tried = []

    class Shared(type(job)):
        def run(self, root):
            tried.append(os.path.isdir(at_work))
            begun.set()
            with locked(os.path.join(root, self.folder)):
                pass

    at_work = tmp_path / job.folder / '.lock'
    held = lock.acquire(str(tmp_path / job.folder))
    begun = threading.Event()
    other = threading.Thread(target=lambda: [begun.wait(60), time.sleep(0.3), lock.release(held)])
    other.start()
    assert run_jobs([Shared(**vars(job))], str(tmp_path), tell=lambda text: None) == {}
    other.join()
    assert re.search(r'waiting for another one; .* is in use: process \d+ on .*, since', capsys.readouterr().out)
    assert tried == [True, False], 'refused while the other was at work, and begun anew after it'


def test_what_cannot_start_is_named_before_anything_trains(file, tmp_path, capsys):
    file.write_text(TEXT.replace("'without': dict(stages=both, options={weight: 0.}",
                                 "'without': dict(stages=both, options={'facts.lr': -1.}"))
    arguments = ['run', file, '--reduced', '--seeds', 0, '--columns', 'digits', '--work-dir', tmp_path]
    with pytest.raises(SystemExit):
        run(*arguments, '--rows', 'without', 'pixels')
    said = capsys.readouterr().out
    assert "stage 'clusmatch' could not start" in said.partition('[1/3]')[0]
    folders = [line.split()[1] for line in said.splitlines() if re.match(r'\[\d/3\]', line)]
    assert [folder.split('_')[0] for folder in folders] == ['runs/pixels', 'runs/cc'], 'what it stands on still runs'
    assert said.count('done in') == 2
    log, = (tmp_path / 'reduced' / folders[1]).glob('*/*.log')
    assert 'This run:' in log.read_text(), 'the console is quiet, the file is not'


def test_figures_of_a_file_that_was_replaced_do_not_count(file, tmp_path):
    base = tmp_path / 'base.pth'
    base.write_bytes(b'one')
    file.write_text(TEXT.replace("stages=both, paper", f"stages=both, options={{'stages.cc.checkpoint': {str(base)!r}}}, paper"))
    job, = unique_jobs(plans(read_table(file).only(rows=['all'], columns=['digits']).cells, str(tmp_path), seeds=(0,)))
    place, = job.files(str(tmp_path))
    assert place == 'model.base.init_cfg.checkpoint'
    folder = tmp_path / job.folder
    folder.mkdir(parents=True)
    record = dict(checkpoint='epoch_1.pth', config=dict(built_on=digests({place: str(base)})))
    (folder / 'done.json').write_text(json.dumps(record))
    told = []
    assert run_jobs([job], str(tmp_path), tell=told.append) == {}
    base.write_bytes(b'two')
    assert 'is no longer the file' in run_jobs([job], str(tmp_path), tell=told.append)[job.folder] == told[-1].partition(': ')[2]
    base.unlink()
    assert run_jobs([job], str(tmp_path), tell=told.append) == {}, 'a file that is gone is not another one'


def test_the_prefix_is_that_of_the_metric():
    assert prefixes(Config(dict(val_evaluator=[dict(type='KNNMetric'), dict(type='ClusteringMetric', prefix='mine')]))) == (
        'knn', 'mine')


@pytest.mark.parametrize('options, written', [([], True), (['--seeds', 0, 1, 2], True), (['--seeds', 1], False),
                                              (['--seeds', 2, 3], False), (['--rows', 'all'], False)])
def test_a_part_of_a_table_is_printed_and_not_written(file, tmp_path, capsys, options, written):
    """Fewer rows, columns or seeds than the whole table has, over which it would be written."""
    run('table', file, '--work-dir', tmp_path, *options)
    assert '| all |' in capsys.readouterr().out and bool(list(tmp_path.rglob('*.tex'))) == written


@pytest.mark.parametrize('workers, devices, at_a_time', [(2, [0], 1), (1, [0, 1], 2), (4, [0, 1], 2), (3, [], 3)])
def test_every_accelerator_has_one_run_at_a_time(monkeypatch, tmp_path, workers, devices, at_a_time):
    monkeypatch.setattr(running, '_in_turn', lambda *rest: 1)
    monkeypatch.setattr(running, '_side_by_side', lambda todo, root, failed, count, *rest: count)
    assert run_jobs([], str(tmp_path), workers, devices, lambda text: None) == at_a_time


@pytest.mark.slow
def test_a_process_that_dies_is_told_from_one_that_fails(file, tmp_path):
    found = plans(read_table(file).only(rows=['base', 'all'], columns=['digits']).cells, str(tmp_path), True, (0,))
    base, boosted = unique_jobs(found)
    failed = run_jobs([Dies(**vars(base)), boosted], str(tmp_path), 2, tell=lambda text: None)
    assert 'ended with code 3' in failed[base.folder] and 'which failed' in failed[boosted.folder]


class Dies(Job):
    def run(self, root):
        os._exit(3)


class Complains(Job):
    def run(self, root):
        raise ValueError('x' * 200_000)


@pytest.mark.slow
def test_an_error_that_is_longer_than_a_pipe_takes(tmp_path):
    job = Complains('runs/x/seed_0', 'x', 0, {}, {}, None)
    assert len(running._side_by_side([job], str(tmp_path), {}, 1, [], print)[job.folder]) > 200_000


def test_slurm_gets_an_array_for_each_level(file, tmp_path, monkeypatch):
    jobs = unique_jobs(plans(read_table(file).cells, str(tmp_path)))
    asked = []

    def sbatch(arguments, **options):
        asked.append(arguments)
        return type('Done', (), dict(stdout=f'{40 + len(asked)};cluster\n'))

    monkeypatch.setattr('mmcluster.experiments.slurm.subprocess.run', sbatch)
    scripts = submit(jobs, str(tmp_path), ['python', 'x.py', 'my table'], 'gpu', '--time=1:00 --mem=8G')
    assert len(scripts) == 2 and '--array=0-3\n' in Path(scripts[0]).read_text()
    assert "python x.py 'my table' --job" in Path(scripts[1]).read_text()
    assert asked[0][2:] == ['--time=1:00', '--mem=8G', scripts[0]]
    assert asked[1][2] == '--dependency=afterany:41'
    assert Path(scripts[1]).read_text().count('clusmatch_') == 8


def test_tasks_of_slurm_that_wait_keep_their_runs(tmp_path, monkeypatch):
    """Slurm copies a script when it is handed over, and another table may be before its tasks begin."""
    kept, run = [], subprocess.run

    def sbatch(arguments, **options):
        kept.append(Path(arguments[-1]).read_text())
        return SimpleNamespace(stdout='1')

    monkeypatch.setattr('mmcluster.experiments.slurm.subprocess.run', sbatch)
    for name, count in (('first', 3), ('second', 2)):
        jobs = [Job(f'runs/{name} {i}/seed_0', 'x', 0, {}, {}, None) for i in range(count)]
        submit(jobs, str(tmp_path), ['echo', 'my table'], 'gpu')
    said = [run(['bash', '-c', kept[0]], env=dict(os.environ, SLURM_ARRAY_TASK_ID=str(task)), capture_output=True,
                text=True, check=True).stdout for task in range(3)]
    assert said == [f'my table --job runs/first {task}/seed_0\n' for task in range(3)]


# ---- what is printed

def test_mean_deviation_and_difference(file):
    table = read_table(file).only(columns=['digits'])
    results = [Result(cell, {name: Value((0.5, 0.7) if cell.row == 'all' else (), *cell.paper.get(name, (None, None)))
                             for name in table.metrics}, 'abc', '1f') for cell in table.cells]
    lines = markdown(table, results).splitlines()
    line = next(line for line in lines if line.startswith('| all |'))
    assert line == ('| all | digits | 0.600 ± 0.141 | 0.900 | -0.300 | 0.600 ± 0.141 | 0.800 ± 0.100 | -0.200 | 2 | '
                    'abc | 1f |')
    assert any(line.startswith('| other | digits |  | 0.500 |') and 'quoted: Table 1' in line for line in lines)
    assert (name_of('acc'), name_of('kmeans/acc')) == ('ACC', 'ACC (kmeans)')
    assert 'all & 0.600 $\\pm$ 0.141 (0.900) & 0.600 $\\pm$ 0.141 (0.800 $\\pm$ 0.100) \\\\' in latex(table, results)
    assert 'mine/losses,all,digits,acc,0.6,0.141421,2,0.5 0.7,0.9,,-0.3,abc,1f,,\n' in as_csv(table, results)


@pytest.mark.parametrize('kind', ['lines', 'bars', 'curves'])
def test_a_figure_shows_what_there_is(file, tmp_path, kind):
    table = dataclasses.replace(read_table(file).only(columns=['digits']), figure=dict(kind=kind))
    cells = [dataclasses.replace(cell, spec=dict(cell.spec, x=i)) for i, cell in enumerate(table.cells)]
    results = [Result(cell, dict(acc=Value((0.5, 0.7), 0.6, None)), 'abc') for cell in cells]
    runs = plans(cells, str(tmp_path), seeds=(0, 1))
    for each in runs.values():
        for place, one in enumerate(each):
            folder = tmp_path / one.jobs[-1].folder
            folder.mkdir(parents=True, exist_ok=True)
            lines = [json.dumps({'epoch': epoch, f'{one.prefix}/acc': epoch / 10 + place}) for epoch in (1, 2)]
            (folder / 'metrics.jsonl').write_text('\n'.join([*lines, '{"epoch": 3, "cut of']))
    assert history(next(iter(runs.values()))[1], 'acc', str(tmp_path)) == {1: 1.1, 2: 1.2}
    assert draw(table, results, runs, str(tmp_path), str(tmp_path / 'figure.png'))
    assert Image.open(tmp_path / 'figure.png').size[0] > 300
    empty = [Result(cell, dict(acc=Value((), None, None))) for cell in cells]
    assert not draw(table, empty, {}, str(tmp_path), str(tmp_path / 'none.png'))
    assert not (tmp_path / 'none.png').exists()
    with pytest.raises(ValueError, match='figure.kind'):
        draw(dataclasses.replace(table, figure=dict(kind='pie')), results, {}, str(tmp_path), 'x.png')


# ---- controls and trials

def test_raw_pixels_have_the_range_of_their_publisher():
    assert (raw_pixels(IndexedDataset(DigitsSource())) == load_digits().data).all()
    source = TrialSource(num_rows=20, size=8, channels=1)
    found = raw_pixels(IndexedDataset(ArraySource(source.array, source.labels)))
    assert found.dtype == float and (found.reshape(20, 8, 8, 1) == source.array).all()


def test_a_part_of_a_table_is_not_written_over_the_whole(file, tmp_path, capsys):
    work = tmp_path / 'work'
    run('table', file, '--work-dir', work)
    whole = (work / 'tables' / 'mine' / 'losses.md').read_text()
    for part in (['--rows', 'base'], ['--columns', 'digits']):
        capsys.readouterr()
        run('table', file, '--work-dir', work, *part)
        said = capsys.readouterr()
        assert '| base' in said.out and 'not written' in said.err
    assert (work / 'tables' / 'mine' / 'losses.md').read_text() == whole
