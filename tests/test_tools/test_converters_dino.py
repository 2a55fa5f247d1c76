"""DINO's vision transformers: the same outputs under mmpretrain's names, and nothing else let through."""
import os

import pytest
import torch
from mmengine.registry import DefaultScope
from torch import nn

from mmcluster.models.clusterers.base import pooled
from mmcluster.registry import MODELS

from .released_networks import prefixed

WIDTH, BLOCKS, HEADS, PATCH, SIDE = 16, 3, 4, 4, 12
ARCH = dict(embed_dims=WIDTH, num_layers=BLOCKS, num_heads=HEADS, feedforward_channels=2 * WIDTH)
VIT = dict(type='VisionTransformer', arch=ARCH, img_size=SIDE, patch_size=PATCH)


def released(seed=0, width=WIDTH, blocks=BLOCKS, patch=PATCH, side=SIDE, hidden=2 * WIDTH):
    """A random state dict with the names of DINO's release."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape):
        return torch.randn(*shape, generator=generator) / 3

    state = dict(cls_token=random(1, 1, width), pos_embed=random(1, (side // patch) ** 2 + 1, width))
    layers = {'patch_embed.proj': (width, 3, patch, patch), 'norm': (width,)}
    for i in range(blocks):
        sizes = {'norm1': (width,), 'attn.qkv': (3 * width, width), 'attn.proj': (width, width), 'norm2': (width,),
                 'mlp.fc1': (hidden, width), 'mlp.fc2': (width, hidden)}
        layers.update({f'blocks.{i}.{name}': shape for name, shape in sizes.items()})
    for name, shape in layers.items():
        state.update({f'{name}.weight': random(*shape), f'{name}.bias': random(shape[0])})
    return state


def dino(state, x, heads=HEADS):
    """Slow oracle: patches, class token first, pre-norm blocks, last norm, class token; (B, 3, H, W) -> (B, D)."""
    def linear(name, value):
        return value @ state[f'{name}.weight'].T + state[f'{name}.bias']

    def norm(name, value):
        centred = value - value.mean(-1, keepdim=True)
        scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-6).sqrt()
        return scaled * state[f'{name}.weight'] + state[f'{name}.bias']

    kernel = state['patch_embed.proj.weight']
    patch, width = kernel.shape[-1], len(kernel)
    rows = []
    for image in x:
        tokens = [state['cls_token'][0, 0]]
        for top in range(0, image.shape[1], patch):
            for left in range(0, image.shape[2], patch):
                window = image[:, top:top + patch, left:left + patch]
                tokens.append((kernel * window).sum((1, 2, 3)) + state['patch_embed.proj.bias'])
        h = torch.stack(tokens) + state['pos_embed'][0]
        for i in range(sum(name.endswith('norm1.bias') for name in state)):
            q, k, v = linear(f'blocks.{i}.attn.qkv', norm(f'blocks.{i}.norm1', h)).split(width, 1)
            mixed = []
            for part in range(heads):
                at = slice(part * width // heads, (part + 1) * width // heads)
                weight = (q[:, at] @ k[:, at].T * (width // heads) ** -0.5).softmax(1)
                mixed.append(weight @ v[:, at])
            h = h + linear(f'blocks.{i}.attn.proj', torch.cat(mixed, 1))
            inner = linear(f'blocks.{i}.mlp.fc1', norm(f'blocks.{i}.norm2', h))
            h = h + linear(f'blocks.{i}.mlp.fc2', inner * (1 + torch.erf(inner / 2 ** 0.5)) / 2)
        rows.append(norm('norm', h)[0])
    return torch.stack(rows)


def build(**given):
    with DefaultScope.overwrite_default_scope('mmcluster'):
        network = MODELS.build({**VIT, **given})
        network.init_weights()
    network.eval()      # returns nothing
    return network


@torch.no_grad()
def test_the_same_outputs_from_a_file(tools, tmp_path):
    state, x = released(), torch.randn(2, 3, SIDE, SIDE)
    torch.save(tools['dino'].convert(state), tmp_path / 'vit.pth')
    network = build(init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'vit.pth')))
    out = pooled(network(x), network)
    assert out.shape == (2, WIDTH)
    torch.testing.assert_close(out, dino(state, x), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(pooled(build()(x), network), out, atol=0.1)


@pytest.mark.parametrize('wrap', [
    lambda state: dict(teacher=state, student=released(1)), lambda state: dict(state_dict=state),
    lambda state: dict(teacher={**prefixed('backbone', state), **prefixed('head', dict(mlp=torch.ones(2)))}, epoch=3),
    lambda state: prefixed('module.backbone', state)], ids=['run', 'state_dict', 'heads', 'module'])
def test_containers(tools, wrap):
    plain, wrapped = tools['dino'].convert(released()), tools['dino'].convert(wrap(released()))
    assert list(plain['state_dict']) == list(wrapped['state_dict'])
    assert all(torch.equal(value, wrapped['state_dict'][name]) for name, value in plain['state_dict'].items())


def test_the_student_of_a_run(tools):
    run = dict(teacher=prefixed('module.backbone', released(0)), student=prefixed('module.backbone', released(1)))
    found = tools['dino'].convert(run, 'student')
    assert torch.equal(found['state_dict']['cls_token'], released(1)['cls_token'])
    assert found['meta']['container'] == 'student'


@pytest.mark.parametrize('width, arch', [(384, 'deit-small'), (768, 'deit-base')])
def test_the_arches_of_the_release(tools, width, arch):
    """Shapes of ViT-S/16 and ViT-B/16, without memory."""
    with torch.device('meta'), pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, 'randn', lambda *shape, generator=None: torch.empty(*shape))
        meta = tools['dino'].convert(released(0, width, 12, 16, 224, 4 * width))
    assert {key: meta['meta'][key] for key in ('arch', 'patch_size', 'img_size')} == dict(
        arch=arch, patch_size=16, img_size=224)
    with pytest.MonkeyPatch.context() as patch, DefaultScope.overwrite_default_scope('mmcluster'), \
            torch.device('meta'):
        linspace = torch.linspace
        patch.setattr(torch, 'linspace', lambda *args, **given: linspace(*args, **{**given, 'device': 'cpu'}))
        own = MODELS.build(dict(type='VisionTransformer', arch=arch)).state_dict()
    assert {name: value.shape for name, value in own.items()} == {
        name: value.shape for name, value in meta['state_dict'].items()}


def without(name):
    return lambda state: {key: value for key, value in state.items() if not key.startswith(name)}


@pytest.mark.parametrize('spoil, message', [
    (without('norm.bias'), 'the transformer does not fit; missing: norm.bias'),
    (without('blocks.1.'), r'missing: blocks.1.attn.proj.bias, .* and 4 more'),
    (without('blocks.'), 'missing: blocks.0'),
    (without('pos_embed'), 'missing: pos_embed'),
    (lambda s: {**s, 'blocks.0.ls1.gamma': torch.ones(WIDTH)}, 'unknown: blocks.0.ls1.gamma'),
    (lambda s: {**s, 'head.weight': torch.ones(2, WIDTH)}, 'unknown: head.weight'),
    (lambda s: {**s, 'pos_embed': torch.ones(1, 12, WIDTH)}, r'pos_embed \(1, 12, 16\) instead of \(1, 10, 16\)'),
    (lambda s: {**s, 'blocks.2.attn.qkv.weight': torch.ones(WIDTH, WIDTH)}, 'blocks.2.attn.qkv.weight'),
    (lambda s: dict(weights=s), 'no state dict under any of state_dict, teacher')])
def test_other_files_are_refused(tools, spoil, message):
    with pytest.raises(tools['resnet'].ConversionError, match=message):
        tools['dino'].convert(spoil(released()))


def test_another_image_size_is_refused_when_it_is_loaded(tools, tmp_path):
    torch.save(tools['dino'].convert(released()), tmp_path / 'vit.pth')
    with pytest.raises(ValueError, match=r'misshapen: pos_embed \(1, 10, 16\) instead of \(1, 5, 16\)'):
        build(img_size=8, init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'vit.pth')))


class Unsafe(nn.Module):
    """Stands for what a pickle may hold besides tensors."""


def test_the_command_line(tools, tmp_path, capsys):
    source, target = str(tmp_path / 'dino.pth'), str(tmp_path / 'vit.pth')
    options = dict(options=tools['dino'].OPTIONS, with_stem=False)
    torch.save(dict(teacher=released(), args=Unsafe()), source)
    with pytest.raises(SystemExit, match='was refused'):
        tools['released'].main(tools['dino'].convert, '', [source, target], **options)
    assert not os.path.exists(target)
    torch.save(dict(teacher=released(), student=released(1)), source)
    tools['released'].main(tools['dino'].convert, '', [source, target, '--network', 'student'], **options)
    out, found = capsys.readouterr().out, torch.load(target, weights_only=True)
    assert f'{target}: 42 tensors' in out and 'num_heads' in out
    assert torch.equal(found['state_dict']['cls_token'], released(1)['cls_token'])
    assert set(found['meta']) >= {'arch', 'patch_size', 'img_size', 'source'}
