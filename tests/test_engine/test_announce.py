"""What a run says of itself before it begins."""
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mmcluster import utils
from mmcluster.engine.hooks import AnnounceHook, announce

from .toy import toy_cfg


@pytest.mark.parametrize('wrapper, slow, precision, warned', [
    (dict(type='AutocastOptimWrapper'), True, 'bfloat16', True),
    (dict(type='AutocastOptimWrapper'), False, 'bfloat16', False),
    (dict(type='AutocastOptimWrapper', dtype=None), True, 'float32', False),
    (dict(type='OptimWrapper'), True, 'float32', False)])
def test_a_device_without_bfloat16_is_named(tmp_path, monkeypatch, wrapper, slow, precision, warned):
    """Emulation is several times slower than float32: a table of hours would take days, silently."""
    said, warnings = [], []
    monkeypatch.setattr(announce, 'lacks_bfloat16', lambda device: slow)
    runner = Runner.from_cfg(Config(dict(
        toy_cfg(tmp_path, optim_wrapper=dict(wrapper, optimizer=dict(type='SGD', lr=0.1))))))
    monkeypatch.setattr(runner.logger, 'info', said.append)
    monkeypatch.setattr(runner.logger, 'warning', warnings.append)
    runner.build_train_loop(runner._train_loop)
    AnnounceHook().before_train(runner)
    assert f'device: cpu, {precision}' in said[0]
    assert [True for line in warnings if 'no units for bfloat16' in line and '--amp' in line] == [True] * warned


@pytest.mark.parametrize('units', [{}, {'_is_avx512_bf16_supported'}, {'_is_amx_tile_supported'}])
@pytest.mark.parametrize('machine', ['x86_64', 'aarch64'])
def test_units_for_bfloat16(monkeypatch, machine, units):
    """Either kind of unit does; of other processors torch tells nothing, nor does a torch without the questions."""
    monkeypatch.setattr(utils.platform, 'machine', lambda: machine)
    for name in ('_is_avx512_bf16_supported', '_is_amx_tile_supported'):
        monkeypatch.setattr(torch.cpu, name, lambda name=name: name in units, raising=False)
    assert utils.lacks_bfloat16('cpu') == (machine == 'x86_64' and not units)
    assert not utils.lacks_bfloat16('meta')
    for name in ('_is_avx512_bf16_supported', '_is_amx_tile_supported'):
        monkeypatch.delattr(torch.cpu, name)
    assert utils.lacks_bfloat16('cpu') == (machine == 'x86_64')
