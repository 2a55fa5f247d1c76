"""Converter of PICI checkpoints: the same class token, pixels, projections and clusters, and nothing else let through."""
import pytest
import torch
from mmengine.registry import DefaultScope
from torch import nn

from mmcluster.functional.views.masked import random_masking, sincos_position
from mmcluster.models.base_parts import load_base
from mmcluster.registry import MODELS

from .released_networks import plain_mlp, prefixed

WIDTH, BLOCKS, HEADS, INNER, PATCH, SIDE, K, D = 16, 3, 4, 8, 4, 12, 5, 6
ARCH = dict(embed_dims=WIDTH, num_layers=BLOCKS, num_heads=HEADS, feedforward_channels=4 * WIDTH)
PATCHES = dict(img_size=SIDE, patch_size=PATCH)
MODEL = dict(
    type='PICI', bank=dict(num_samples=9), backbone=dict(type='MaskedViT', arch=ARCH, **PATCHES),
    projector=dict(type='MLPProjector', in_channels=WIDTH, hid_channels=WIDTH, out_channels=D, norm=False),
    head=dict(type='MLPClusterHead', in_channels=WIDTH, num_clusters=K),
    decoder=dict(type='MaskedDecoder', embed_dim=WIDTH, decoder_embed_dim=INNER, decoder_depth=2, decoder_num_heads=2,
                 **PATCHES))


def released():
    """A random state dict with the names and the fixed tables of the release."""
    generator = torch.Generator().manual_seed(0)
    places = (SIDE // PATCH) ** 2
    state = dict(cls_token=(1, 1, WIDTH), mask_token=(1, 1, INNER))
    layers = {'patch_embed.proj': (WIDTH, 3, PATCH, PATCH), 'norm': (WIDTH,), 'decoder_embed': (INNER, WIDTH),
              'decoder_norm': (INNER,), 'decoder_pred': (3 * PATCH * PATCH, INNER)}
    for stack, width, count in (('blocks', WIDTH, BLOCKS), ('decoder_blocks', INNER, 2)):
        for i in range(count):
            layers.update({f'{stack}.{i}.norm1': (width,), f'{stack}.{i}.attn.qkv': (3 * width, width),
                           f'{stack}.{i}.attn.proj': (width, width), f'{stack}.{i}.norm2': (width,),
                           f'{stack}.{i}.mlp.fc1': (4 * width, width), f'{stack}.{i}.mlp.fc2': (width, 4 * width)})
    for name, shape in layers.items():
        state.update({f'{name}.weight': shape, f'{name}.bias': shape[:1]})
    state = {name: torch.randn(*shape, generator=generator) / 3 for name, shape in state.items()}
    state['pos_embed'], state['decoder_pos_embed'] = (sincos_position(width, SIDE // PATCH).float()[None]
                                                      for width in (WIDTH, INNER))
    assert len(state['pos_embed'][0]) == 1 + places
    torch.manual_seed(1)
    mlps = dict(instance_projector=plain_mlp(WIDTH, WIDTH, D), cluster_projector=plain_mlp(WIDTH, WIDTH, K))
    return {**prefixed('mae', state), **{key: value for name, mlp in mlps.items()
                                         for key, value in prefixed(name, mlp.state_dict()).items()}}, mlps


def transformer(state, stack, h, heads):
    """Blocks on one sequence (T, D): pre-norm attention and MLP."""
    def linear(name, value):
        return value @ state[f'mae.{stack}.{name}.weight'].T + state[f'mae.{stack}.{name}.bias']

    def norm(name, value):
        return nn.functional.layer_norm(value, value.shape[-1:], state[f'mae.{stack}.{name}.weight'],
                                        state[f'mae.{stack}.{name}.bias'], 1e-6)

    width = h.shape[1]
    for i in range(sum(name.startswith(f'mae.{stack}.') and name.endswith('norm1.bias') for name in state)):
        parts = linear(f'{i}.attn.qkv', norm(f'{i}.norm1', h)).view(len(h), 3, heads, width // heads)
        mixed = [(parts[:, 0, a] @ parts[:, 1, a].T * (width // heads) ** -0.5).softmax(1) @ parts[:, 2, a]
                 for a in range(heads)]
        h = h + linear(f'{i}.attn.proj', torch.cat(mixed, 1))
        h = h + linear(f'{i}.mlp.fc2', nn.functional.gelu(linear(f'{i}.mlp.fc1', norm(f'{i}.norm2', h))))
    return h


def encode(state, image, keep):
    """Tokens (1 + k, D) of the visible patches of one image, in the order of ``keep``."""
    kernel, bias = state['mae.patch_embed.proj.weight'], state['mae.patch_embed.proj.bias']
    table, across = state['mae.pos_embed'][0], SIDE // PATCH
    tokens = [state['mae.cls_token'][0, 0] + table[0]]
    for place in keep:
        top, left = PATCH * (place // across), PATCH * (place % across)
        tokens.append((kernel * image[:, top:top + PATCH, left:left + PATCH]).sum((1, 2, 3)) + bias + table[1 + place])
    h = transformer(state, 'blocks', torch.stack(tokens), HEADS)
    return nn.functional.layer_norm(h, (WIDTH,), state['mae.norm.weight'], state['mae.norm.bias'], 1e-6)


def decode(state, tokens, keep):
    """Pixels (L, p p C) of all patches of one image."""
    known = tokens @ state['mae.decoder_embed.weight'].T + state['mae.decoder_embed.bias']
    rows = [state['mae.mask_token'][0, 0]] * (len(state['mae.decoder_pos_embed'][0]) - 1)
    for token, place in zip(known[1:], keep):
        rows[place] = token
    h = transformer(state, 'decoder_blocks', torch.stack([known[0], *rows]) + state['mae.decoder_pos_embed'][0], 2)
    h = nn.functional.layer_norm(h, (INNER,), state['mae.decoder_norm.weight'], state['mae.decoder_norm.bias'], 1e-6)
    return (h @ state['mae.decoder_pred.weight'].T + state['mae.decoder_pred.bias'])[1:]


def build(state):
    """PICI with converted weights; its bank alone is left out."""
    with DefaultScope.overwrite_default_scope('mmcluster'):
        model = MODELS.build(MODEL)
    report = model.load_state_dict(state, strict=False)
    assert not report.unexpected_keys
    assert set(report.missing_keys) == {'bank.fingerprint', 'bank.view_label'}
    return model.eval()


def same(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)
    assert expected.std() > 1e-3


WRAPPED = [lambda s: s, lambda s: dict(net=s, optimizer={}, epoch=1049), lambda s: dict(net=prefixed('module', s))]


@pytest.mark.parametrize('wrap', WRAPPED, ids=['bare', 'saved', 'module'])
@torch.no_grad()
def test_the_same_outputs(tools, wrap):
    state, mlps = released()
    result = tools['pici'].convert(wrap(state))
    model, x = build(result['state_dict']), torch.randn(2, 3, SIDE, SIDE)
    h = torch.stack([encode(state, image, range(9))[0] for image in x])
    same(model.embed(x), h)
    same(model.logits(x), mlps['cluster_projector'](h))
    same(model.project(x), nn.functional.normalize(mlps['instance_projector'](h), dim=1))
    noise = torch.rand(2, 9)
    keep, _, restore = random_masking(noise, 0.5)
    tokens = torch.stack([encode(state, image, row.tolist()) for image, row in zip(x, keep)])
    same(model.decoder(tokens, restore), torch.stack([decode(state, rows, row.tolist())
                                                      for rows, row in zip(tokens, keep)]))


def test_what_a_config_has_to_say(tools):
    meta = tools['pici'].convert(dict(net=released()[0], epoch=1049))['meta']
    assert meta == dict(converted_from='PICI', container='net', epoch=1049, embed_dims=WIDTH, num_layers=BLOCKS,
                        patch_size=PATCH, img_size=SIDE, in_channels=3, decoder_embed_dim=INNER, decoder_depth=2,
                        num_clusters=K)


def test_a_booster_takes_it_strictly(tools, tmp_path):
    state = tools['pici'].convert(released()[0])
    torch.save(state, tmp_path / 'pici.pth')
    base = dict(MODEL, init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'pici.pth')))
    with DefaultScope.overwrite_default_scope('mmcluster'):
        loaded = load_base(base)
        assert torch.equal(loaded.head.fc2.weight, state['state_dict']['head.fc2.weight'])
        with pytest.raises(ValueError, match=r'pos_embed'):
            load_base(dict(base, decoder=None, pisd=0., backbone=dict(type='MaskedViT', arch=ARCH, img_size=16,
                                                                      patch_size=PATCH)))


def without(name):
    return lambda state: {key: value for key, value in state.items() if not key.startswith(name)}


@pytest.mark.parametrize('spoil, message', [
    (without('mae.norm.bias'), 'the file does not fit; missing: mae.norm.bias'),
    (without('mae.blocks.1.'), r'missing: mae.blocks.1.attn.proj.bias, .* and 4 more'),
    (without('mae.decoder'), 'missing: mae.decoder_blocks.0'), (without('cluster_projector'), 'cluster_projector.0'),
    (without('mae.mask_token'), 'missing: mae.mask_token'),
    (lambda s: {**s, 'cluster_projector.4.weight': torch.ones(2)}, 'unknown: cluster_projector.4.weight'),
    (lambda s: {**s, 'mae.blocks.0.ls1.gamma': torch.ones(WIDTH)}, 'unknown: mae.blocks.0.ls1.gamma'),
    (lambda s: {**s, 'mae.pos_embed': torch.ones(1, 12, WIDTH)}, r'pos_embed \(1, 12, 16\) instead of \(1, 10, 16\)'),
    (lambda s: {**s, 'mae.decoder_pred.weight': torch.ones(2, INNER)}, r'decoder_pred.weight \(2, 8\)'),
    (lambda s: dict(weights=s), 'no state dict under any of model, net, state_dict')])
def test_other_files_are_refused(tools, spoil, message):
    with pytest.raises(tools['resnet'].ConversionError, match=message):
        tools['pici'].convert(spoil(released()[0]))


def test_the_command_line(tools, tmp_path, capsys):
    source, target = str(tmp_path / 'checkpoint_1049.pth'), str(tmp_path / 'pici.pth')
    torch.save(dict(net=released()[0], optimizer={}, epoch=1049), source)
    tools['released'].main(tools['pici'].convert, '', [source, target], with_stem=False)
    assert 'num_clusters: 5' in capsys.readouterr().out
    assert torch.load(target, weights_only=True)['meta']['source'] == 'checkpoint_1049.pth'
