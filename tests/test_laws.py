"""The three laws of the house, and its style."""
import ast
import sys

import pytest
import torch
from mmengine.hooks import Hook
from reduced import (ROOT, clusmatch_cfg, differences, load, propos_cfg, read_stage, stage_keys, train, write_digits,
                     write_recipe)

from mmcluster.datasets import IndexedDataset
from mmcluster.engine.extract import unwrap
from mmcluster.registry import HOOKS
from mmcluster.structures import Batch, Key, Rows

pytestmark = pytest.mark.usefixtures('engine')
FILES = sorted([*(ROOT / 'mmcluster').rglob('*.py'), *(ROOT / 'tools').rglob('*.py')])
PURE = {'torch', 'numpy', 'scipy', 'sklearn', 'ot'}
# What hooks may change in themselves after construction; none of it reaches training.
HOOK_STATE = {
    'CheckpointHook': {'last_ckpt', 'keep_ckpt_ids', 'best_ckpt_path'},
    'ResultHook': {'started'},
    'RuntimeInfoHook': {'interval', 'device_peak'},
}


def parse(path):
    return ast.parse(path.read_text(encoding='utf-8'))


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def ids(path):
    return path.relative_to(ROOT).as_posix()


# ---- law 1: functions compute, modules remember, hooks decide when

def imports(tree):
    """(level, dotted name) of everything that a file imports, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.level, '.'.join(filter(None, (node.module, alias.name)))) for alias in node.names)


def impurities(tree, depth=1):
    """What a file of ``functional``, so many folders deep, must not name."""
    found = []
    for level, name in imports(tree):
        first = name.split('.')[0]
        allowed = 1 <= level <= depth or (level == 0 and (first in PURE or first in sys.stdlib_module_names
                                                or name.startswith('mmcluster.functional.')))
        if not allowed or name.startswith('torch.distributed'):
            found.append(f'imports {name}')
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node).startswith('torch.distributed'):
            found.append('calls torch.distributed')
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            found.append(f'keeps {node.names}')
    return found


# Imports run downward: a room names those before it, and those beside it.
FLOORS = [['functional'], ['datasets'], ['models', 'selectors', 'evaluation'], ['visualization', 'engine'], ['recipes'],
          ['encoders'], ['apis', 'report'], ['experiments'], ['cli']]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def above(room, tree, depth=1):
    """Rooms above that a file of a room, so many folders deep, imports from."""
    named = {name.split('.')[1] if level == 0 else name.split('.')[0] for level, name in imports(tree)
             if (level == 0 and name.startswith('mmcluster.')) or level > depth}
    return {other for other in named & set(FLOOR) if FLOOR[other] > FLOOR[room]}


@pytest.mark.parametrize('room', sorted(FLOOR))
def test_imports_run_downward(room):
    folder = ROOT / 'mmcluster' / room
    files = list(folder.rglob('*.py'))
    assert files and {str(path): above(room, parse(path), len(path.relative_to(folder).parts))
                      for path in files if above(room, parse(path), len(path.relative_to(folder).parts))} == {}


def test_an_import_from_above_is_seen():
    for line in ('from mmcluster.recipes import stages', 'import mmcluster.cli.main', 'from ..recipes.stages import x'):
        assert above('engine', ast.parse(line)), line
    assert not above('engine', ast.parse('from mmcluster.models import bank\nfrom .hooks import KMeansHook'))


@pytest.mark.parametrize('path', sorted((ROOT / 'mmcluster' / 'functional').rglob('*.py')), ids=ids)
def test_functions_compute_only(path):
    assert impurities(parse(path), len(path.relative_to(ROOT / 'mmcluster' / 'functional').parts)) == []


@pytest.mark.parametrize('line', [
    'import mmengine', 'from mmcluster.registry import MODELS', 'from ..models import bank', 'import torch.distributed',
    'from torch import distributed', 'from torch.distributed import all_reduce', 'import os, mmcv',
    'def f(x):\n    import torch\n    torch.distributed.all_reduce(x)', 'def f():\n    global COUNT\n    COUNT = 1'])
def test_an_impure_line_is_found(line):
    assert impurities(ast.parse(line))


def later_state(tree):
    """class -> attributes of ``self`` that its methods rebind outside ``__init__``."""
    found = {}
    for owner in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        for function in (node for node in owner.body if isinstance(node, ast.FunctionDef) and node.name != '__init__'):
            for node in ast.walk(function):
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, (ast.Store, ast.Del)) and \
                        isinstance(node.value, ast.Name) and node.value.id == 'self':
                    found.setdefault(owner.name, set()).add(node.attr)
    return found


@pytest.mark.parametrize('path', sorted((ROOT / 'mmcluster' / 'engine' / 'hooks').glob('*.py')), ids=ids)
def test_hooks_own_no_state(path):
    for owner, names in later_state(parse(path)).items():
        assert names <= HOOK_STATE.get(owner, set()), f'{owner} keeps {names}'


@pytest.mark.parametrize('path', sorted((ROOT / 'mmcluster' / 'models').rglob('*.py')), ids=ids)
def test_modules_remember_in_buffers(path):
    assert later_state(parse(path)) == {}


def test_state_outside_the_constructor_is_found():
    tree = ast.parse('class A:\n def __init__(self):\n  self.a = 1\n def f(self):\n  self.b = self.a\n  self.c += 1')
    assert later_state(tree) == {'A': {'b', 'c'}}


# ---- law 3: ground truth reaches metrics only

def test_a_batch_has_no_label():
    assert Batch._fields == ('views', 'index')


@pytest.mark.parametrize('door', ['memory', 'worker'])
def test_a_training_set_returns_no_label(tmp_path, door):
    data = write_digits(tmp_path)
    for cfg in (propos_cfg(tmp_path, data, door=door), clusmatch_cfg(tmp_path, data, door=door)):
        given = cfg.train_dataloader.dataset
        keys = [Key(3, stream, 7) for stream in [*cfg.train_dataloader.sampler.streams, 'test']]
        rows = IndexedDataset(given.source, pipelines=given.get('pipelines'))[keys]
        assert len(rows) == len(keys) and all(Rows(*row).label is None for row in rows.values())
        rows = IndexedDataset(given.source, pipelines=given.get('pipelines'), test_mode=True)[keys]
        assert all(row.label is not None for row in rows.values()), 'there was something to leak'


@pytest.mark.parametrize('key', stage_keys())
def test_no_config_trains_with_labels(key):
    assert not read_stage(key).train_dataloader.dataset.get('test_mode', False)


def weights(path):
    return {part: load(path)[part] for part in ('state_dict', 'optimizer')}


def run_recipe(folder, permute=None):
    """Train both stages; returns stage -> weights, and the metrics of the last one."""
    data = write_digits(folder, permute)
    stages = dict(propos=propos_cfg('', data, epochs=3, warmup=1), clusmatch=clusmatch_cfg('', data, epochs=2))
    trained = train(write_recipe(folder, stages))
    metrics = (folder / 'work' / 'clusmatch' / 'metrics.jsonl').read_text()
    return {name: weights(path) for name, path in trained.items()}, metrics


def run_propos(folder, permute=None, **changes):
    """Train one epoch of ProPos with some entries of its config replaced."""
    cfg = propos_cfg(folder / 'work', write_digits(folder, permute), epochs=1, warmup=0)
    cfg.update(changes)
    return weights(train(cfg)['train'])['state_dict']


@pytest.fixture(scope='module')
def original(tmp_path_factory):
    return run_recipe(tmp_path_factory.mktemp('original'))


def test_permuted_labels_leave_the_weights_bit_identical(original, tmp_path):
    permuted, metrics = run_recipe(tmp_path, permute=1)
    assert differences(original[0], permuted) == []
    assert metrics != original[1], 'the labels that metrics saw were permuted'


def test_a_run_repeats_itself_and_a_seed_changes_it(tmp_path):
    first, again = run_propos(tmp_path / 'first'), run_propos(tmp_path / 'again')
    assert differences(first, again) == []
    other = run_propos(tmp_path / 'other', randomness=dict(seed=1))
    assert {'backbone.stages.0.0.conv.weight', 'bank.label'} <= set(differences(first, other))


@HOOKS.register_module(force=True)
class LeakHook(Hook):
    """Writes ground truth into the bank."""

    priority = 'BELOW_NORMAL'

    def before_train_epoch(self, runner):
        unwrap(runner.model).bank.fill(label=torch.from_numpy(runner.train_dataloader.dataset.labels))


def test_a_planted_leak_is_found(tmp_path):
    hooks = [dict(type='KMeansHook', num_clusters=4, n_init=1), dict(type='LeakHook')]
    honest, permuted = (run_propos(tmp_path / str(permute), permute, custom_hooks=hooks) for permute in (None, 1))
    assert {'bank.label', 'backbone.stages.0.0.conv.weight'} <= set(differences(honest, permuted))


# ---- style

def test_there_are_files_to_check():
    assert len(FILES) > 50


@pytest.mark.parametrize('path', FILES, ids=ids)
def test_sizes(path):
    lines = path.read_text(encoding='utf-8').splitlines()
    assert len(lines) <= 250
    assert [i for i, line in enumerate(lines, 1) if len(line) > 120] == []
    assert [node.name for node in functions(parse(path)) if node.end_lineno - node.lineno + 1 > 60] == []


@pytest.mark.parametrize('path', FILES, ids=ids)
def test_no_hardware_in_code(path):
    text = path.read_text(encoding='utf-8')
    assert '.cuda(' not in text and 'CUDA_VISIBLE_DEVICES' not in text


def undocumented(tree):
    """Public classes, functions and methods without a docstring or with a missing annotation."""
    found, todo = [], [('', tree)]
    while todo:
        prefix, owner = todo.pop()
        for node in owner.body:
            if not isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                continue
            public = not node.name.startswith('_') or node.name == '__call__'
            if public and not ast.get_docstring(node) and 'overload' not in map(ast.unparse, node.decorator_list):
                found.append(f'{prefix}{node.name} has no docstring')
            if isinstance(node, ast.ClassDef):
                todo += [(f'{prefix}{node.name}.', node)] * public
            elif public or node.name == '__init__':
                found += [f'{prefix}{node.name}: {name}' for name in unannotated(node, bool(prefix))]
    return found


def unannotated(function, method):
    """Arguments and ``return`` of a function that carry no annotation."""
    args = function.args
    named = [*args.posonlyargs, *args.args]
    static = any(isinstance(item, ast.Name) and item.id == 'staticmethod' for item in function.decorator_list)
    named = named[1:] if method and not static else named
    every = [*named, *args.kwonlyargs, *filter(None, (args.vararg, args.kwarg))]
    missing = [arg.arg for arg in every if arg.annotation is None]
    return missing + ['return'] * (function.returns is None and function.name != '__init__')


@pytest.mark.parametrize('path', FILES, ids=ids)
def test_public_names_are_documented_and_annotated(path):
    tree = parse(path)
    assert ast.get_docstring(tree) or not tree.body
    assert undocumented(tree) == []


def test_what_is_undocumented_is_found():
    text = 'class A:\n def f(self, x: int):\n  """F."""\n def _g(self, y): pass\ndef h(z: int) -> int: return z'
    assert set(undocumented(ast.parse(text))) == {'h has no docstring', 'A has no docstring', 'A.f: return'}
