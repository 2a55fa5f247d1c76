"""Names of three packages from one scope, and errors that name what stands near."""
import importlib
import importlib.metadata
import subprocess
import sys

import mmengine.hooks
import mmengine.registry as root
import mmpretrain.registry as parents
import pytest
from mmengine.config import ConfigDict
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope, Registry
from torch import nn

from mmcluster import registry
from mmcluster.registry import HOOKS, LABEL_SELECTORS, MODELS, OPTIMIZERS

OURS = {name: value for name, value in vars(registry).items() if isinstance(value, registry.NamedRegistry)}


def test_every_registry_above_has_a_child():
    above = {name for name in parents.__all__ + dir(root) if isinstance(getattr(root, name, None), Registry)}
    assert above - {'EVALUATOR'} <= set(OURS) and set(parents.__all__) <= set(OURS)  # mmpretrain says EVALUATORS
    for name, ours in OURS.items():
        assert ours.scope == 'mmcluster' and ours.constant == name
        if name != 'LABEL_SELECTORS':
            assert ours.parent is getattr(parents, name, None) or not hasattr(parents, name)
            assert ours.root.children['mmcluster'] is ours or ours.parent is ours.root


@pytest.mark.parametrize('package', sorted({place for ours in OURS.values() for place in ours._locations}))
def test_every_location_is_a_package(package):
    importlib.import_module(package)


@pytest.mark.parametrize('constant, name, module', [
    ('MODELS', 'ResNet_CIFAR', 'mmpretrain'), ('MODELS', 'ImgDataPreprocessor', 'mmengine'),
    ('MODELS', 'ProPos', 'mmcluster'), ('MODELS', 'BYOL', 'mmcluster'), ('MODELS', 'mmpretrain.BYOL', 'mmpretrain'),
    ('OPTIMIZERS', 'LARS', 'mmcluster'), ('OPTIMIZERS', 'Lamb', 'mmpretrain'),
    ('OPTIMIZERS', 'mmpretrain.LARS', 'mmpretrain'),
    ('OPTIMIZERS', 'AdamW', 'torch'), ('HOOKS', 'LoggerHook', 'mmengine'),
    ('HOOKS', 'CheckpointHook', 'mmcluster'), ('HOOKS', 'mmengine.CheckpointHook', 'mmengine'),
    ('HOOKS', 'RuntimeInfoHook', 'mmcluster'), ('OPTIM_WRAPPERS', 'OptimWrapper', 'mmcluster'),
    ('TRANSFORMS', 'RandomErasing', 'mmpretrain'), ('DATASETS', 'IndexedDataset', 'mmcluster'),
    ('PARAM_SCHEDULERS', 'WarmupCosineLR', 'mmcluster'), ('VISUALIZERS', 'UniversalVisualizer', 'mmpretrain'),
    ('WEIGHT_INITIALIZERS', 'Pretrained', 'mmcluster'), ('WEIGHT_INITIALIZERS', 'Xavier', 'mmengine'),
    ('LABEL_SELECTORS', 'CentroidDistance', 'mmcluster'),
])
def test_unprefixed_names_reach_all_three_packages(constant, name, module):
    assert OURS[constant].get(name).__module__.split('.')[0] == module


def test_a_first_look_up_imports_the_parents_package():
    code = ("from mmcluster.registry import MODELS, METRICS; import sys; assert 'mmpretrain.models' not in sys.modules;"
            "assert MODELS.get('ResNet_CIFAR').__module__.startswith('mmpretrain'); METRICS.get('Accuracy')")
    subprocess.run([sys.executable, '-c', code], check=True)


def test_the_default_scope_is_enough_for_mmengines_registries():
    with DefaultScope.overwrite_default_scope('mmcluster'):
        assert type(root.HOOKS.build(dict(type='CheckpointHook'))) is HOOKS.get('CheckpointHook')
        assert isinstance(root.HOOKS.build(dict(type='ParamSchedulerHook')), mmengine.hooks.ParamSchedulerHook)
    assert root.HOOKS.get('CheckpointHook') is mmengine.hooks.CheckpointHook
    assert root.HOOKS.get('mmcluster.CheckpointHook') is HOOKS.get('CheckpointHook')


@pytest.mark.parametrize('ours, name, near', [
    (MODELS, 'ResNet_Cifar', 'ResNet_CIFAR'), (MODELS, 'propos', 'ProPos'), (MODELS, 'mmcluster.Propos', 'ProPos'),
    (HOOKS, 'KMeanHook', 'KMeansHook'), (OPTIMIZERS, 'AdmW', 'AdamW'), (LABEL_SELECTORS, 'CentroidDist',
                                                                        'CentroidDistance'),
])
def test_an_unknown_name_is_answered_with_near_ones(ours, name, near):
    with pytest.raises(KeyError, match=f'{ours.constant}.*Near names.*{near}'):
        ours.get(name)
    assert name not in ours
    assert near in ours


def test_an_unknown_optimiser_is_named():
    cfg = ConfigDict(type='OptimWrapper', optimizer=dict(type='Lion', lr=0.1))
    with DefaultScope.overwrite_default_scope('mmcluster'), pytest.raises(KeyError, match='Lion.*OPTIMIZERS'):
        build_optim_wrapper(nn.Linear(2, 2), cfg)


def test_a_package_that_fails_to_import_says_so_itself(tmp_path, monkeypatch):
    (tmp_path / 'broken_package.py').write_text("raise RuntimeError('no such device')")
    monkeypatch.syspath_prepend(str(tmp_path))
    broken = registry.NamedRegistry('BROKEN', None, ['broken_package'])
    with pytest.raises(RuntimeError, match='no such device'):
        broken.get('X')


def test_versions_are_checked(monkeypatch):
    import mmcluster
    found = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, 'version', lambda name: '1.7.0' if 'mmcv' in name else found(name))
    with pytest.raises(ImportError, match=r'mmcv==1\.7\.0 is used but incompatible.*mmcv>=2\.2\.0,<2\.3\.0'):
        importlib.reload(mmcluster)
    monkeypatch.undo()
    importlib.reload(mmcluster)


def test_all_packages_can_be_imported_at_once(monkeypatch):
    from mmcluster.utils import register_all_modules
    for ours in OURS.values():
        monkeypatch.setattr(ours, '_imported', False)
    register_all_modules(init_default_scope=False)
    assert all(ours._imported for ours in OURS.values())
    register_all_modules()
    try:
        assert DefaultScope.get_current_instance().scope_name == 'mmcluster'
        assert root.MODELS.build(dict(type='SampleBank', num_samples=2)).num_samples == 2
    finally:
        DefaultScope._instance_dict.clear()
