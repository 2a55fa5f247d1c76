"""Shipped tables compose, and the page that says how each table and figure of a paper is made agrees with them."""
import re
from itertools import chain

import pytest
from mmengine.config import Config
from reduced import CONFIGS, ROOT

from mmcluster.experiments import read_table, table_file, table_names
from mmcluster.experiments.jobs import plan, plans, unique_jobs
from mmcluster.experiments.reduced import ROWS, reduce_recipe, reduce_stage
from mmcluster.experiments.results import result_of, results_of
from mmcluster.experiments.running import run_jobs
from mmcluster.recipes.recipe import stage_config

pytestmark = pytest.mark.usefixtures('engine')
TOOLS = ROOT / 'tools' / 'analysis_tools'
PAGE = (ROOT / 'docs' / 'en' / 'experiments.md').read_text(encoding='utf-8')
HOUSE = ('house', 'ruc', 'scan', 'semi_supervised', 'temi')      # tables of our own, of no figure of the five papers
STATES = ('measured', 'not yet')
ROMAN = dict(zip(['I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX'], range(1, 10)))


def rows():
    """(paper, item, what makes it, state) of each line of the page."""
    found, paper = [], ''
    for line in PAGE[PAGE.index("| paper | table or figure |"):].splitlines()[2:]:
        if not line.startswith('|'):
            break
        own, item, how, state = (cell.strip() for cell in line.strip('|').split('|'))
        paper = own or paper
        found.append((paper, item, how, state))
    return found


def numbers(text):
    """Numbers of tables and figures in a text: ``'Tables II to IV'`` -> {('Table', 2), ('Table', 3), ('Table', 4)}."""
    found = set()
    for kind, listed in re.findall(r'(Table|Fig)s?\.? ((?:[IVX]+|\d+[a-d]?)\b(?:(?:, | and | to )(?:[IVX]+|\d+[a-d]?|[a-d])\b)*)',
                                   text):
        values = [ROMAN.get(one, one) for one in re.findall(r'[IVX]+|\d+', listed)]
        values = [int(one) for one in values]
        found |= {(kind, one) for one in (range(values[0], values[-1] + 1) if ' to ' in listed else values)}
    return found


def sample(cells):
    """A cell of every recipe and kind of change, in a table."""
    kinds = {}
    for cell in cells:
        changed = tuple(sorted(cell.spec['options'])), bool(cell.spec.get('control'))
        kinds.setdefault((cell.spec.get('recipe') or cell.row, *changed), cell)
    return kinds.values()


@pytest.mark.parametrize('name', table_names())
def test_a_shipped_table_is_read_and_its_runs_compose(name, tmp_path):
    table = read_table(table_file(name))
    cells = [cell for cell in table.cells if cell.runs]
    text = table_file(name).read_text(encoding='utf-8')
    assert Config.fromfile(table_file(name), lazy_import=False).title == table.title and f'experiments/{name}.py' in text
    for cell, (one,) in plans(sample(cells), str(tmp_path), seeds=(0,)).items():
        assert one.jobs and cell.runs
    assert all(set(cell.paper) <= set(table.metrics) for cell in table.cells), 'what the paper says is printed'


def test_the_page_has_every_table_of_the_papers_and_no_other():
    named = set(chain.from_iterable(re.findall(r'`([a-z]+/[a-z0-9_]+)`', how) for _, _, how, _ in rows()))
    wanted = {name for name in table_names() if name.partition('/')[0] not in HOUSE}
    digits = {name for name in wanted if name.endswith('digits')}
    assert named <= wanted and wanted - digits <= named, wanted - digits - named
    assert {paper.lower() for paper, *_ in rows()} == {name.partition('/')[0] for name in wanted}


@pytest.mark.parametrize('paper, item, how, state', rows(), ids=[f'{row[0]}, {row[1]}' for row in rows()])
def test_a_line_names_files_of_that_item_and_commands_that_exist(paper, item, how, state):
    assert state in STATES, 'one of them, and nothing between'
    assert (state == 'measured') == ('](' in how.partition('on digits')[0]), 'what was measured is linked'
    commands = re.findall(r'`([^`]+)`', how)
    assert commands
    for command in commands:
        name, *words = command.split()
        if '/' in name:
            head = table_file(name).read_text(encoding='utf-8').partition('"""\n')[0]
            said, asked = numbers(head + read_table(table_file(name)).title), numbers(item)
            mixed = name.endswith('digits') or 'probe' in how or not asked or (said & asked)
            assert paper.lower() == name.partition('/')[0] and mixed, f'{name} says {said}, the page {asked}'
            continue
        assert any((folder / f'{name}.py').is_file() for folder in (TOOLS, TOOLS.parent / 'benchmarks')), name
        if name == 'analyse':
            assert f"(commands, '{words[0]}', " in (TOOLS / 'analyse.py').read_text(encoding='utf-8')
        options = [word for word in words if word.startswith('--')]
        assert all(f"'{option}'" in (TOOLS / f'{name}.py').read_text(encoding='utf-8') for option in options)


@pytest.mark.parametrize('name, row', [('house/digits', 'GCC'), ('house/digits', 'PCL'), ('ruc/digits', 'RUC'),
                                       ('asd/tracking_digits', 'ASD, k-means labels')])
def test_a_trial_of_a_shipped_table_runs(name, row, tmp_path):
    table = read_table(table_file(name)).only(rows=[row])
    found = plans(table.cells, str(tmp_path), True, (0,))
    assert run_jobs(unique_jobs(found), str(tmp_path), tell=lambda text: None) == {}
    result, = results_of(found, table, str(tmp_path))
    assert result.count == 1 and all(0 <= value.mean <= 1 for value in result.values.values())
    hours = result_of(result.cell, found[result.cell], ('hours',), True, str(tmp_path)).values['hours']
    assert hours.mean == pytest.approx(result.seconds[0] / 3600), 'no percentage'


def trial(name, stage):
    """Config of a stage of a shipped recipe as a trial has it."""
    cfg = Config.fromfile(CONFIGS / f'{name}.py', lazy_import=False)
    cfg.work_dir = 'unused'
    reduce_recipe(cfg)
    single = stage_config(cfg, stage, dict.fromkeys(cfg.stages, 'unused.pth'))
    reduce_stage(cfg)(single)
    return single


def test_a_trial_of_steps_of_many_passes_ends_with_whole_steps():
    single = trial('propos_r50_imagenet', 'propos')
    passes = single.optim_wrapper.accumulative_counts
    assert passes > 1 and single.train_dataloader.sampler.length % passes == 0


def test_a_trial_takes_no_more_first_rows_than_it_has():
    hook = next(hook for hook in trial('spice_r18_stl10', 'spice_joint').custom_hooks if hook.type == 'SelectHook')
    assert hook.selector.type == 'FirstRows' and hook.selector.num_rows == ROWS


@pytest.mark.parametrize('name', ['house/digits', 'house/mnist', 'house/sign_digits'])
def test_rows_of_asd_show_the_head_that_it_trains(name, tmp_path):
    cells = {cell.title: cell for cell in read_table(table_file(name)).cells}
    assert plan(cells['CC + ASD'], 0, str(tmp_path)).prefix == 'head'
    assert plan(cells['CC + ClusMatch'], 0, str(tmp_path)).prefix == 'kmeans'
