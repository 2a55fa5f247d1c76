"""Converter of ProPos checkpoints, and the command line: same outputs under new names, and nothing else let through."""
import argparse
import os
import subprocess
import sys

import numpy
import pytest
import torch
from mmengine.registry import DefaultScope

from mmcluster.models.necks import MLPProjector
from mmcluster.registry import MODELS

from .converted import NARROW, ROOT, TOOLS, assert_same_chain, backbone, clusmatch_propos, load, part
from .released_networks import prefixed, propos


@pytest.mark.parametrize('depth, stem', [(18, 'cifar'), (34, 'cifar'), (50, 'cifar'), (18, 'plain'), (34, 'plain'),
                                         (50, 'plain'), (18, 'gcc'), (34, 'gcc')])
def test_propos_gives_the_same_outputs(tools, depth, stem):
    torch.manual_seed(depth)
    nets, state = propos(depth, stem)
    result = tools['propos'].convert(state)
    converted, meta = result['state_dict'], result['meta']
    assert (meta['stem'], meta['depth'], meta['container']) == (stem, depth, '')
    assert_same_chain(converted, '', depth, stem, (nets['encoder_q'], nets['projector_q']))
    assert_same_chain(converted, 'teacher.', depth, stem, (nets['encoder_k'], nets['projector_k']))
    z = torch.randn(3, 12)
    assert torch.equal(load(MLPProjector(12, 24, 12), converted, 'predictor')(z), nets['predictor'](z))
    assert {name.split('.')[0] for name in converted} == {'backbone', 'neck', 'predictor', 'teacher'}
    assert meta['aliases'] == len(part(state, 'encoder')) and meta['dropped'] == []
    assert len(converted) == len(state) - meta['aliases']


@pytest.mark.parametrize('wrap', [
    lambda s: dict(byol=s, epoch=3), lambda s: dict(model=s), lambda s: dict(state_dict=s, optimizer=dict(lr=.1)),
    lambda s: prefixed('module', s), lambda s: dict(byol=prefixed('module', s), scaler={}),
], ids=['byol', 'model', 'state_dict', 'module', 'byol-module'])
def test_propos_containers(tools, wrap):
    nets, state = propos()
    plain, wrapped = tools['propos'].convert(state), tools['propos'].convert(wrap(state))
    assert list(plain['state_dict']) == list(wrapped['state_dict'])
    assert all(torch.equal(value, wrapped['state_dict'][name]) for name, value in plain['state_dict'].items())


def test_propos_queue_is_dropped_with_a_note(tools):
    state = propos()[1]
    queue = dict(queue=torch.randn(16, 12), queue_ptr=torch.zeros(1), queue_ind=torch.zeros(16))
    result = tools['propos'].convert({**state, **queue})
    assert result['meta']['dropped'] == ['queue', 'queue_ind', 'queue_ptr']
    assert not any('queue' in name for name in result['state_dict'])


def without(*names):
    return lambda state: {name: value for name, value in state.items() if name not in names}


def changed(name, value):
    return lambda state: {**state, name: value}


@pytest.mark.parametrize('spoil, message', [
    (without('encoder_q.0.weight'), 'encoder_q.*missing a stem'),
    (without('encoder_q.4.0.downsample.1.running_var'), r'encoder_q.*missing: layer2.0.downsample.1.running_var'),
    (without('projector_k.1.bias', 'encoder.1.1.bias'), r'projector_k.*missing: 1.bias'),
    (without('predictor.3.bias'), r'predictor.*missing: 3.bias'),
    (changed('encoder_k.3.0.attention.weight', torch.ones(1)), r'encoder_k.*unknown: layer1.0.attention.weight'),
    (changed('encoder_q.9.weight', torch.ones(1)), r'numbered children'),
    (changed('encoder_k.5.2.bn1.bias', torch.ones(1)), r'\(2, 2, 3, 2\) blocks'),
    (changed('cluster_head.weight', torch.ones(1)), r'the file.*unknown: cluster_head.weight'),
    (changed('projector_q.4.weight', torch.ones(1)), r'projector_q.*unknown: 4.weight'),
    (changed('encoder.0.1.bias', torch.ones(8)), r'equal their namesakes under encoder_k: encoder.0.1.bias'),
    (changed('encoder.2.bias', torch.ones(8)), r'unknown: encoder.2.bias'),
    (lambda s: {name: value for name, value in s.items() if not name.startswith('predictor')}, r'missing: predictor'),
    (lambda s: dict(weights=s), r'no state dict under any of byol, model, state_dict; .*weights'),
    (lambda s: dict(byol={**s, 'epoch': 3}), r"not a state dict under 'byol': epoch"),
    (lambda s: dict(model=s, ema_model=s), 'use clusmatch_to_mmcluster'),
    (lambda s: [s], 'expected a dict'),
    (lambda s: {}, 'empty'),
], ids=lambda value: value if isinstance(value, str) else '')
def test_propos_refuses_other_layouts(tools, spoil, message):
    with pytest.raises(tools['resnet'].ConversionError, match=message):
        tools['propos'].convert(spoil(propos()[1]))


@pytest.mark.parametrize('stem, wrong', [('cifar', 'plain'), ('plain', 'cifar'), ('plain', 'gcc')])
def test_a_stem_that_the_file_does_not_have_is_refused(tools, stem, wrong):
    with pytest.raises(tools['resnet'].ConversionError, match=f"not the '{wrong}' layout"):
        tools['propos'].convert(propos(18, stem)[1], wrong)


@pytest.mark.parametrize('depth, stem', [(18, 'cifar'), (50, 'plain'), (34, 'gcc')])
def test_expected_names_are_those_of_the_networks(tools, depth, stem):
    blocks, convs = {value: key for key, value in tools['resnet'].DEPTHS.items()}[depth]
    branch = 'shortcut' if stem == 'gcc' else 'downsample'
    assert set(tools['resnet'].resnet_names(blocks, convs, branch)) == set(backbone(depth, stem).state_dict())


def run(tool: str, *argv: object) -> subprocess.CompletedProcess:
    paths = os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')])
    return subprocess.run([sys.executable, str(TOOLS / f'{tool}_to_mmcluster.py'), *map(str, argv)],
                          env={**os.environ, 'PYTHONPATH': paths}, capture_output=True, text=True)


def test_command_line_writes_a_file_of_tensors(tools, tmp_path):
    nets, state = propos()
    torch.save(dict(byol=state, scaler={}), tmp_path / 'checkpoint-3.tar')
    done = run('propos', tmp_path / 'checkpoint-3.tar', tmp_path / 'out.pth', '--stem', 'cifar')
    assert done.returncode == 0 and 'depth: 18' in done.stdout, done.stderr
    saved = torch.load(tmp_path / 'out.pth', weights_only=True)
    expected = tools['propos'].convert(state)['state_dict']
    assert set(saved) == {'state_dict', 'meta'} and list(saved['state_dict']) == list(expected)
    assert all(torch.equal(value, expected[name]) for name, value in saved['state_dict'].items())
    assert saved['meta']['source'] == 'checkpoint-3.tar' and saved['meta']['converted_from'] == 'ProPos'
    assert sorted(path.name for path in tmp_path.iterdir()) == ['checkpoint-3.tar', 'out.pth']


def test_command_line_asks_before_it_unpickles(tools, tmp_path, capsys):
    checkpoint = clusmatch_propos()[1]
    checkpoint['best_eval_acc'] = numpy.float64(0.9)
    checkpoint['arguments'] = argparse.Namespace(lr=.1)
    torch.save(checkpoint, tmp_path / 'latest_model.pth')
    argv = [str(tmp_path / 'latest_model.pth'), str(tmp_path / 'out.pth')]
    main, convert = tools['released'].main, tools['clusmatch'].convert
    with pytest.raises(SystemExit, match='--allow-pickle'):
        main(convert, '', argv)
    assert not (tmp_path / 'out.pth').exists()
    main(convert, '', [*argv, '--allow-pickle'])
    saved = torch.load(tmp_path / 'out.pth', weights_only=True)
    assert saved['meta']['best_eval_acc'] == 0.9 and 'arguments' in saved['meta']['dropped']


def test_command_line_names_what_is_wrong(tools, tmp_path):
    torch.save({'fc.weight': torch.ones(1)}, tmp_path / 'other.pth')
    main, convert = tools['released'].main, tools['propos'].convert
    with pytest.raises(SystemExit, match='other.pth: missing: encoder_q'):
        main(convert, '', [str(tmp_path / 'other.pth'), str(tmp_path / 'out.pth')])
    with pytest.raises(SystemExit, match='absent.pth'):
        main(convert, '', [str(tmp_path / 'absent.pth'), str(tmp_path / 'out.pth')])


PROPOS = dict(type='ProPos', num_clusters=5, bank=dict(num_samples=7), **NARROW, predictor=dict(
    type='MLPProjector', in_channels=12, hid_channels=24, out_channels=12, init='normal_0.01'))


@pytest.mark.parametrize('build', [
    lambda load: dict(PROPOS, init_cfg=dict(load, strict=False)),
    lambda load: dict(type='Boost', base=dict(PROPOS, init_cfg=load), head=dict(
        type='LinearClusterHead', in_channels=12, num_clusters=5)),
], ids=['method', 'booster'])
def test_converted_propos_loads(tools, tmp_path, build):
    nets, state = propos()
    torch.save(tools['propos'].convert(state), tmp_path / 'out.pth')
    with DefaultScope.overwrite_default_scope('mmcluster'):
        model = MODELS.build(build(dict(type='Pretrained', checkpoint=str(tmp_path / 'out.pth'))))
        model.init_weights()
    model.eval()
    x = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        assert torch.allclose(model.embed(x), nets['projector_k'](nets['encoder_k'](x)), atol=1e-6, rtol=1e-6)


def test_converted_propos_names_everything_but_the_bank(tools):
    converted = tools['propos'].convert(propos()[1])['state_dict']
    report = MODELS.build(dict(PROPOS)).load_state_dict(converted, strict=False)
    assert not report.unexpected_keys and all(name.startswith('bank.') for name in report.missing_keys)
