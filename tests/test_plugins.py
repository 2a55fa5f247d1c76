"""A package outside the repository adds parts through ``custom_imports`` and trains both stages of a recipe."""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from reduced import ROOT, K, N, clusmatch_cfg, load, propos_cfg, train, write_digits, write_recipe

from mmcluster.experiments.jobs import Job
from mmcluster.registry import LABEL_SELECTORS, MODELS

pytestmark = pytest.mark.usefixtures('engine')
FILES = {
    '__init__.py': 'from . import losses, networks, selectors\n',
    'networks.py': '''
from mmcluster.registry import MODELS
from mmengine.model import BaseModule
from torch import nn


@MODELS.register_module()
class FlatMLP(BaseModule):
    """Two linear layers on the pixels."""

    def __init__(self, width, init_cfg=None):
        super().__init__(init_cfg)
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.BatchNorm1d(width), nn.ReLU())

    def forward(self, x):
        return (self.layers(x),)
''',
    'selectors.py': '''
import torch
from mmcluster.registry import LABEL_SELECTORS


@LABEL_SELECTORS.register_module()
class EveryFifth:
    """Trusts every fifth row and gives it a label by its number."""

    def __init__(self, num_clusters):
        self.num_clusters = num_clusters

    def __call__(self, embed, prob=None):
        target = torch.full((len(embed),), -1)
        target[::5] = torch.arange(len(target[::5])) % self.num_clusters
        return target
''',
    'losses.py': '''
import torch
from mmcluster.models.pseudo_label_losses import PseudoLabelLoss
from mmcluster.registry import MODELS
from torch.nn.functional import cross_entropy


@MODELS.register_module()
class ArgmaxLoss(PseudoLabelLoss):
    """Cross entropy to the labels and to the weak view's arg-max; counts the clusters that it saw."""

    fields = dict(argmax=dict())

    def __init__(self, num_clusters, weight):
        super().__init__()
        self.weight = weight
        self.register_buffer('seen', torch.zeros(num_clusters))

    def loss(self, l, u, bank):
        pseudo = u.logits_weak.argmax(1)
        self.seen += torch.bincount(pseudo, minlength=len(self.seen))
        bank.write(u.index, argmax=pseudo)
        return dict(loss_sup=cross_entropy(l.logits, l.target),
                    loss_argmax=self.weight * cross_entropy(u.logits_strong, pseudo))
''',
}
WIDTH = 12


def write_plugin(folder, name):
    (folder / name).mkdir(parents=True)
    for file, text in FILES.items():
        (folder / name / file).write_text(text)


def plugin_recipe(folder, name):
    """Both stages of the reduced recipe with the parts of a plugin."""
    data = write_digits(folder / 'data')
    first, second = propos_cfg('', data, epochs=2, warmup=1), clusmatch_cfg('', data, epochs=2)
    backbone = dict(type='FlatMLP', width=WIDTH)
    for cfg, owner in ((first, first.model), (second, second.model.base)):
        owner.backbone = backbone
        owner.neck.in_channels = WIDTH
        cfg.custom_imports = dict(imports=[name], allow_failed_imports=False)
    second.model.pseudo_label_loss = dict(type='ArgmaxLoss', num_clusters=K, weight=0.3)
    second.custom_hooks = [dict(type='SelectHook', selector=dict(type='EveryFifth', num_clusters=K)),
                           dict(type='TeacherHook')]
    return write_recipe(folder, dict(propos=first, clusmatch=second))


def check(propos, clusmatch):
    """The plugin's parts are in both checkpoints and did their work."""
    first, second = load(propos)['state_dict'], load(clusmatch)['state_dict']
    assert first['backbone.layers.1.weight'].shape == (WIDTH, 64)
    assert not torch.equal(first['backbone.layers.1.weight'], second['backbone.layers.1.weight'])
    target = torch.full((N,), -1)
    target[::5] = torch.arange(N // 5) % K
    assert torch.equal(second['bank.target'], target)
    assert second['pseudo_label_loss.seen'].sum() == 2 * 3 * 14, 'epochs x steps x unlabelled rows'
    written = second['bank.argmax']
    assert ((written >= -1) & (written < K)).all() and (written >= 0).sum() >= N - 4 * 14
    assert not any('negative_thresholds' in key for key in second)


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Name of a package on the path, forgotten afterwards."""
    name = f'outside_{tmp_path.name}'
    write_plugin(tmp_path / 'site', name)
    monkeypatch.syspath_prepend(str(tmp_path / 'site'))
    yield name
    for registry in (MODELS, LABEL_SELECTORS):
        for part in [part for part, kind in registry.module_dict.items() if kind.__module__.startswith(name)]:
            registry.module_dict.pop(part)
    for module in [module for module in sys.modules if module.split('.')[0] == name]:
        sys.modules.pop(module)


def test_a_plugin_trains_both_stages(tmp_path, plugin):
    cfg = plugin_recipe(tmp_path, plugin)
    assert 'FlatMLP' not in MODELS and 'EveryFifth' not in LABEL_SELECTORS, 'nothing but the config imports it'
    trained = train(cfg)
    assert Path(sys.modules[plugin].__file__).is_relative_to(tmp_path)
    check(trained['propos'], trained['clusmatch'])
    summary = json.loads((tmp_path / 'work' / 'clusmatch' / 'summary.json').read_text())
    assert {'kmeans/acc', 'head/acc'} <= set(summary['metrics'])


def test_without_its_import_the_parts_are_unknown(tmp_path, plugin):
    cfg = plugin_recipe(tmp_path, plugin)
    for path in (tmp_path / 'propos.py', tmp_path / 'clusmatch.py'):  # all stages are read before the first one trains
        path.write_text(path.read_text().replace(plugin, 'mmcluster'))
    with pytest.raises(KeyError, match=r"'FlatMLP' is not in mmcluster.registry.MODELS(.|\n)*custom_imports"):
        train(cfg)


def test_a_missing_package_says_so(tmp_path, plugin):
    cfg = plugin_recipe(tmp_path, plugin)
    path = tmp_path / 'propos.py'
    path.write_text(path.read_text().replace(plugin, 'no_such_package'))
    with pytest.raises(ImportError, match='no_such_package'):
        train(cfg)


def test_from_the_command_line(tmp_path):
    write_plugin(tmp_path / 'site', 'outside_package')
    recipe = plugin_recipe(tmp_path, 'outside_package')
    work = recipe.pop('work_dir')
    stages = {name: dict(stage) for name, stage in recipe.stages.items()}  # in order, which `dump` does not keep
    (tmp_path / 'recipe.py').write_text(f'stages = {stages}\n')
    path = os.pathsep.join([str(tmp_path / 'site'), str(ROOT)])
    done = subprocess.run(
        [sys.executable, str(ROOT / 'tools' / 'train.py'), str(tmp_path / 'recipe.py'), '--work-dir', work],
        cwd=tmp_path, capture_output=True, text=True, env={**os.environ, 'PYTHONPATH': path, 'OMP_NUM_THREADS': '1'})
    assert done.returncode == 0, done.stderr
    assert all((Path(work) / name / 'done.json').exists() for name in ('propos', 'clusmatch'))
    check(*(str(Path(work) / name / 'epoch_2.pth') for name in ('propos', 'clusmatch')))


def test_records_of_runs_import_the_plugin_where_no_file_is_read(tmp_path, plugin):
    train(plugin_recipe(tmp_path, plugin))
    code = ('import sys\nfrom mmcluster.encoders.own import own_encoder\n'
            'print(type(own_encoder(sys.argv[1]).model.backbone).__name__)')
    path = os.pathsep.join([str(tmp_path / 'site'), str(ROOT)])
    done = subprocess.run([sys.executable, '-c', code, str(tmp_path / 'work')], capture_output=True, text=True,
                          env={**os.environ, 'PYTHONPATH': path, 'OMP_NUM_THREADS': '1'})
    assert done.stdout.strip() == 'FlatMLP', done.stderr


def test_a_job_of_a_table_imports_the_plugin(tmp_path, plugin):
    cfg = plugin_recipe(tmp_path, plugin)
    path = tmp_path / 'propos.py'
    path.write_text(path.read_text().replace(plugin, 'mmcluster'))      # so that only the recipe names it
    said = dict(stages=cfg.stages.to_dict(), custom_imports=dict(imports=[plugin], allow_failed_imports=False))
    Job('runs/x/seed_0', 'propos', 0, {}, said, None, control='untrained').run(str(tmp_path))
    assert 'kmeans/acc' in json.loads((tmp_path / 'runs' / 'x' / 'seed_0' / 'summary.json').read_text())['metrics']
