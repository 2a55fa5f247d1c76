"""Converter of CC checkpoints: same outputs in our model, and nothing else let through."""
import subprocess
import sys

import pytest
import torch
from torch import nn

from mmcluster.registry import MODELS

from .converted import ROOT
from .released_networks import named, plain_mlp, prefixed, resnet

K = 7


def released(depth=34):
    """Networks and state dict of the release, narrow."""
    torch.manual_seed(0)
    net, width = resnet(depth, 'plain'), 64 * (4 if depth == 50 else 1)
    nets = net, plain_mlp(width, width, 12), plain_mlp(width, width, K)
    state = {**prefixed('resnet', named(net.state_dict(), 'plain', 'downsample')),
             **prefixed('instance_projector', nets[1].state_dict()),
             **prefixed('cluster_projector', nets[2].state_dict())}
    return nets, state, width


def ours(depth, width):
    return MODELS.build(dict(
        type='CC', backbone=dict(type='ResNet', depth=depth, stem_channels=8, base_channels=8),
        projector=dict(type='MLPProjector', in_channels=width, hid_channels=width, out_channels=12, norm=False),
        head=dict(type='MLPClusterHead', in_channels=width, num_clusters=K)))


WRAPPED = [lambda s: s, lambda s: dict(net=s, optimizer=dict(state={}, param_groups=[]), epoch=990),
           lambda s: dict(net=prefixed('module', s), epoch=0)]


@pytest.mark.parametrize('depth', [18, 34, 50])
@pytest.mark.parametrize('wrap', WRAPPED, ids=['bare', 'checkpoint', 'parallel'])
@torch.no_grad()
def test_a_release_is_a_cc(tools, depth, wrap):
    (net, projector, head), state, width = released(depth)
    result = tools['cc'].convert(wrap(state))
    model = ours(depth, width)
    model.load_state_dict(result['state_dict'], strict=True)
    model.eval()
    x = torch.randn(3, 3, 64, 64)
    feat = net(x)
    for actual, expected in ((model.embed(x), feat), (model.logits(x), head(feat)),
                             (model.project(x), nn.functional.normalize(projector(feat), dim=1))):
        assert torch.allclose(actual, expected, atol=1e-5, rtol=1e-5) and expected.std() > 1e-3
    meta = result['meta']
    assert (meta['stem'], meta['depth'], meta['num_clusters']) == ('plain', depth, K)
    assert meta.get('epoch') == wrap(state).get('epoch')


EDITS = dict(
    missing=(lambda s: s.pop('instance_projector.2.bias'), r'instance_projector does not fit; missing: 2\.bias'),
    no_head=(lambda s: [s.pop(name) for name in list(s) if name.startswith('cluster')],
             r'missing: cluster_projector\.\*'),
    foreign=(lambda s: s.update({'decoder.weight': torch.ones(2)}), r'the file does not fit; unknown: decoder\.weight'),
    block=(lambda s: s.pop('resnet.layer2.1.bn2.running_mean'), r'resnet does not fit; missing: layer2\.1\.bn2'),
    norm=(lambda s: s.update({'cluster_projector.1.weight': torch.ones(2)}),
          r'cluster_projector does not fit; unknown: 1\.weight'))


@pytest.mark.parametrize('kind', EDITS)
def test_another_layout_is_refused(tools, kind):
    edit, message = EDITS[kind]
    _, state, _ = released(18)
    edit(state)
    with pytest.raises(tools['resnet'].ConversionError, match=message):
        tools['cc'].convert(dict(net=state, epoch=3))


def test_another_container_is_refused(tools):
    with pytest.raises(tools['resnet'].ConversionError, match='no state dict under any of .*net.* optimizer'):
        tools['cc'].convert(dict(optimizer={}, epoch=1))


def test_command_line(tmp_path):
    _, state, width = released(18)
    torch.save(dict(net=state, optimizer={}, epoch=1000), tmp_path / 'checkpoint_1000.tar')
    script = ROOT / 'tools' / 'model_converters' / 'cc_to_mmcluster.py'
    done = subprocess.run([sys.executable, str(script), str(tmp_path / 'checkpoint_1000.tar'), str(tmp_path / 'cc.pth')],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 'num_clusters: 7' in done.stdout and 'epoch: 1000' in done.stdout
    ours(18, width).load_state_dict(torch.load(tmp_path / 'cc.pth', weights_only=True)['state_dict'])
