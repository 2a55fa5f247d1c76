"""How many files a reader opens to follow a method: ten at most, beside the ground that is read once for all."""
import ast
import inspect
from functools import cache
from pathlib import Path

import pytest
from reduced import ROOT, read_stage, stage_keys

from mmcluster.registry import HOOKS, LABEL_SELECTORS, MODELS

PACKAGE = ROOT / 'mmcluster'
MOST = 10
# Read once: what every method, E-step or booster stands on; docs/en/concepts.md lists the same files.
GROUND = {
    'models/clusterers/base.py', 'models/bank.py', 'models/gather.py', 'models/batch_norm.py', 'models/base_parts.py',
    'models/head_parts.py', 'models/teacher.py', 'models/boost.py', 'models/pseudo_label_losses/base.py',
    'engine/hooks/sweep.py', 'engine/hooks/estep.py', 'engine/hooks/kmeans.py', 'engine/hooks/schedule.py',
    'functional/average.py', 'functional/schedule.py', 'functional/shards.py', 'functional/clustering/kmeans.py',
    'functional/clustering/match.py', 'models/shards.py'}
WATCHING = {'engine/hooks/collapse.py', 'models/watch.py', 'functional/labels/diagnostics.py'}     # the log alone
# of functional/, what they do is in their names
COMMON = {'at_least_float32', 'one_hot', 'unit_rows'}
NETWORKS = {'backbone', 'neck', 'projector', 'predictor', 'decoder', 'head', 'data_preprocessor', 'base', 'network',
            'embed', 'init_cfg'}


def kinds(value):
    """Types in a config, those of networks left out."""
    if isinstance(value, dict):
        yield from [value['type']] if isinstance(value.get('type'), str) else []
        for key, item in value.items():
            yield from () if key in NETWORKS else kinds(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from kinds(item)


@cache
def imported(path: Path) -> dict[str, Path]:
    """Name in a module -> file of ``functional`` that it comes from."""
    found = {}
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.ImportFrom):
            start = path.parents[node.level - 1] if node.level else ROOT
            module = start.joinpath(*filter(None, (node.module or '').split('.')))
            for alias in node.names:
                for file in (module.with_suffix('.py'), module / f'{alias.name}.py'):
                    if file.is_file() and PACKAGE / 'functional' in file.parents:
                        found[alias.asname or alias.name] = file
    return found


def equations(kind: type) -> set[Path]:
    """Files of the functions that a class calls, itself or by functions of its own file."""
    path = Path(inspect.getsourcefile(kind)).resolve()
    bodies = {node.name: node for node in ast.parse(path.read_text(encoding='utf-8')).body if hasattr(node, 'name')}
    names, todo = set(), [kind.__name__]
    while todo:
        name = todo.pop()
        if name not in names and name in bodies:
            todo += [node.id for node in ast.walk(bodies[name]) if isinstance(node, ast.Name)]
        names.add(name)
    return {file for name, file in imported(path).items() if name in names - COMMON}


def opened(key: str) -> set[str]:
    """Files below ``mmcluster`` that a reader of a stage opens."""
    cfg, files = read_stage(key).to_dict(), set()
    for name in {*kinds(cfg['model']), *kinds(cfg.get('custom_hooks', []))}:
        for registry in (MODELS, HOOKS, LABEL_SELECTORS):
            registry.import_from_location()
            kind = registry.module_dict.get(name)
            for owner in kind.__mro__ if kind else ():
                if owner.__module__.startswith('mmcluster'):
                    files |= {Path(inspect.getsourcefile(owner)).resolve(), *equations(owner)}
    return {str(file.relative_to(PACKAGE)) for file in files} - GROUND - WATCHING


@pytest.fixture(scope='module')
def stages():
    return {key: opened(key) for key in stage_keys()}


def test_a_method_is_read_in_ten_files(stages):
    assert {key: sorted(files) for key, files in stages.items() if len(files) > MOST} == {}


def test_the_page_says_so(stages):
    page = (ROOT / 'docs' / 'en' / 'concepts.md').read_text(encoding='utf-8')
    section = page[page.index('## What to read'):]
    assert all(f'`{file}`' in section for file in GROUND)
    for line in section[:section.index('\n## ', 5)].splitlines():
        cells = [cell.strip(' `') for cell in line.strip('|').split('|')]
        if len(cells) == 3 and cells[1].isdigit():
            assert len(stages[cells[0]]) == int(cells[1]), cells[0]


def test_the_ground_exists():
    assert all((PACKAGE / file).is_file() for file in GROUND | WATCHING)
