"""What a run says of itself before it begins."""
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mmcluster import utils
from mmcluster.encoders.embed import default_dtype
from mmcluster.engine.hooks import AnnounceHook, announce

from .toy import toy_cfg


@pytest.mark.parametrize('wrapper, units, precision, warned', [
    (dict(type='AutocastOptimWrapper'), False, 'bfloat16', True),
    (dict(type='AutocastOptimWrapper'), True, 'bfloat16', False),
    (dict(type='AutocastOptimWrapper'), None, 'bfloat16', False),
    (dict(type='AutocastOptimWrapper', dtype=None), False, 'float32', False),
    (dict(type='OptimWrapper'), False, 'float32', False)])
def test_a_device_without_bfloat16_is_named(tmp_path, monkeypatch, wrapper, units, precision, warned):
    """Emulation is several times slower than float32: a table of hours would take days, silently."""
    said, warnings = [], []
    monkeypatch.setattr(announce, 'has_bfloat16', lambda device: units)
    runner = Runner.from_cfg(Config(dict(
        toy_cfg(tmp_path, optim_wrapper=dict(wrapper, optimizer=dict(type='SGD', lr=0.1))))))
    monkeypatch.setattr(runner.logger, 'info', said.append)
    monkeypatch.setattr(runner.logger, 'warning', warnings.append)
    runner.build_train_loop(runner._train_loop)
    AnnounceHook().before_train(runner)
    assert f'device: cpu, {precision}' in said[0]
    assert [True for line in warnings if 'no units for bfloat16' in line and '--amp' in line] == [True] * warned


@pytest.mark.parametrize('units', [set(), {'_is_avx512_bf16_supported'}, {'_is_amx_tile_supported'}])
@pytest.mark.parametrize('machine', ['x86_64', 'aarch64'])
def test_units_for_bfloat16(monkeypatch, machine, units):
    """Either kind of unit does; of other processors torch tells nothing, nor does a torch without the questions."""
    monkeypatch.setattr(utils.platform, 'machine', lambda: machine)
    for name in ('_is_avx512_bf16_supported', '_is_amx_tile_supported'):
        monkeypatch.setattr(torch.cpu, name, lambda name=name: name in units, raising=False)
    known = machine == 'x86_64'
    assert utils.has_bfloat16('cpu') is (bool(units) if known else None)
    assert default_dtype('cpu') == ('bfloat16' if known and units else 'float32'), 'in doubt, exact features'
    monkeypatch.delattr(torch.cpu, '_is_amx_tile_supported')
    assert utils.has_bfloat16('cpu') is None and utils.has_bfloat16('meta') is None


@pytest.mark.parametrize('capability, hip, known', [((8, 0), None, True), ((7, 5), None, False), ((9, 0), '6.0', True)])
def test_units_of_a_gpu(monkeypatch, capability, hip, known):
    monkeypatch.setattr(torch.cuda, 'get_device_capability', lambda device: capability)
    monkeypatch.setattr(torch.version, 'hip', hip)
    assert utils.has_bfloat16('cuda:1') is known
