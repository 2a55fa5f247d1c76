"""Converter of SPICE checkpoints: same outputs in our models, and nothing else let through."""
import pytest
import torch
from torch import nn

from mmcluster.registry import MODELS

from .converted import embed
from .released_networks import Wide, named, plain_mlp, prefixed, resnet

K, QUEUE = 5, 16
NETWORKS = {'resnet18_cifar': (18, 'cifar', 'shortcut', 8), 'resnet18': (18, 'gcc', 'shortcut', 64),
            'clusterresnet': (34, 'gcc', 'downsample', 64), 'resnet34': (34, 'plain', 'downsample', 8)}
SIZE = 32


def network(arch):
    """A released backbone, its state, and the options that build ours."""
    depth, stem, branch, width = NETWORKS[arch]
    net = resnet(depth, stem, width)
    ours = dict(type='GCCResNet', depth=depth) if stem == 'gcc' else dict(
        type={'cifar': 'ResNet_CIFAR', 'plain': 'ResNet'}[stem], depth=depth, stem_channels=8, base_channels=8)
    return net, named(net.state_dict(), stem, branch), ours


def pretext(arch='clusterresnet'):
    """Networks and checkpoint of the first stage."""
    nets, state = {}, {}
    for side in ('q', 'k'):
        net, names, ours = network(arch)
        nets[side] = net, plain_mlp(8 * NETWORKS[arch][3])
        state.update(prefixed(f'module.encoder_{side}', names))
        state.update(prefixed(f'module.encoder_{side}.fc', nets[side][1].state_dict()))
    queue = dict(queue=nn.functional.normalize(torch.randn(12, QUEUE), dim=0), queue_ptr=torch.tensor([8]))
    state.update(prefixed('module', queue))
    return nets, dict(epoch=1000, arch=arch, state_dict=state, optimizer={}), ours, queue


def heads(arch='resnet34', count=12):
    """Network, heads and state dict of the second stage."""
    net, names, ours = network(arch)
    width = 8 * NETWORKS[arch][3]
    made = [nn.Sequential(nn.Linear(width, 24), nn.ReLU(), nn.Linear(24, K)) for _ in range(count)]
    state = prefixed('module.feature_module', names)
    for number, head in enumerate(made):
        for layer, place in (('lin1', 0), ('lin2', 2)):
            at = f'module.head.head_{number}.classifier.{layer}'
            state.update(prefixed(at, head[place].state_dict()))
    return net, made, state, dict(backbone=ours, head=dict(type='MultiHead', num_heads=count, head=dict(
        type='MLPClusterHead', in_channels=width, hid_channels=24, num_clusters=K)))


def joint(kind='wide', prefix=''):
    """Networks (trained and average) and checkpoint of the third stage."""
    nets, checkpoint = {}, dict(optimizer={}, scheduler={}, it=1048576)
    for key in ('train_model', 'eval_model'):
        if kind in NETWORKS:
            net, state, ours = network(kind)
            width = 8 * NETWORKS[kind][3]
        else:
            depth, factor = kind
            net = Wide(depth, factor)
            state, ours = net.state_dict(), dict(type='WideResNet', depth=depth, widen_factor=factor)
            width = len(net.bn1.weight)
        fc = nn.Linear(width, K)
        nets[key] = net, fc
        state = {**state, **prefixed('fc', fc.state_dict())}
        checkpoint[key] = {f'{prefix}{name}': value for name, value in state.items()}
    return nets, checkpoint, dict(backbone=ours, head=dict(type='LinearClusterHead', in_channels=width, num_clusters=K))


def same(actual, expected):
    assert torch.allclose(actual, expected, atol=1e-5, rtol=1e-5) and expected.std() > 1e-3


def build(cfg, state):
    """One of our models in evaluation mode with converted weights; the bank alone is left out."""
    model = MODELS.build(cfg)
    report = model.load_state_dict(state, strict=False)
    assert not report.unexpected_keys and all(name.startswith('bank.') for name in report.missing_keys)
    return model.eval()


@pytest.mark.parametrize('arch', NETWORKS)
@torch.no_grad()
def test_pretext_is_a_moco(tools, arch):
    torch.manual_seed(0)
    nets, checkpoint, ours, queue = pretext(arch)
    result = tools['spice'].convert(checkpoint)
    meta = result['meta']
    assert (meta['stage'], meta['stem'], meta['depth'], meta['epoch']) == ('pretext', NETWORKS[arch][1],
                                                                          NETWORKS[arch][0], 1000)
    model = build(dict(type='MoCo', backbone=ours, queue_size=QUEUE, projector=dict(
        type='MLPProjector', in_channels=8 * NETWORKS[arch][3], hid_channels=24, out_channels=12, norm=False)),
        result['state_dict'])
    x = torch.randn(3, 3, SIZE, SIZE)
    same(model.embed(x), nets['q'][0](x))
    for found, (net, projector) in ((model.project(x), nets['q']), (model.keys(x), nets['k'])):
        same(found, nn.functional.normalize(projector(net(x)), dim=1))
    assert torch.equal(model.queue, queue['queue']) and model.queue_pointer.item() == 8


def test_a_query_network_alone_fits_simclr(tools):
    nets, checkpoint, ours, _ = pretext('resnet18_cifar')
    state = {name: value for name, value in checkpoint['state_dict'].items() if 'encoder_q' in name}
    result = tools['spice'].convert(dict(checkpoint, state_dict=state))
    assert {name.split('.')[0] for name in result['state_dict']} == {'backbone', 'projector'}
    model = build(dict(type='SimCLR', backbone=ours, projector=dict(
        type='MLPProjector', in_channels=64, hid_channels=24, out_channels=12, norm=False)), result['state_dict'])
    x = torch.randn(3, 3, SIZE, SIZE)
    with torch.no_grad():
        same(model.embed(x), nets['q'][0](x))


@pytest.mark.parametrize('kept, best_so_far', [(0, 'head'), (1, 'head'), (10, 'network')])
@torch.no_grad()
def test_heads_are_a_spice(tools, kept, best_so_far):
    """Twelve of them: head_1 is not head_10."""
    net, made, state, ours = heads()
    result = tools['spice'].convert(dict(epoch=30, state_dict=state, optimizer={}), head=kept, best_so_far=best_so_far)
    model = build(dict(type='SPICE', bank=dict(num_samples=7), norm_eval=best_so_far == 'head', **ours),
                  result['state_dict'])
    x = torch.randn(3, 3, SIZE, SIZE)
    logits = model.head_logits(x)
    for number, head in enumerate(made):
        same(logits[:, number], head(net(x)))
    same(model.logits(x), made[kept](net(x)))
    assert model.best_so_far.loss == float('inf') and model.best_so_far.head_index == kept
    assert result['meta']['heads'] == 12 and result['meta']['kept_head'] == kept


def test_a_selected_head_needs_no_number(tools):
    net, (head,), state, ours = heads(count=1)
    result = tools['spice'].convert(state)                # a bare state dict
    model = build(dict(type='SPICE', bank=dict(num_samples=7), **ours), result['state_dict'])
    x = torch.randn(3, 3, SIZE, SIZE)
    with torch.no_grad():
        same(model.logits(x), head(net(x)))


@pytest.mark.parametrize('kind, prefix', [((10, 1), ''), ((16, 2), 'model.'), ((37, 2), ''), ('clusterresnet', ''),
                                          ('resnet34', 'module.')], ids=str)
@torch.no_grad()
def test_joint_is_a_boost(tools, kind, prefix):
    torch.manual_seed(0)
    nets, checkpoint, ours = joint(kind, prefix)
    result = tools['spice'].convert(checkpoint)
    model = build(dict(type='Boost', bank=dict(num_samples=7), labeller=dict(type='SelectedLabels'),
                       pseudo_label_loss=dict(type='FixMatchLoss'), teacher=dict(decay=0.999), **ours),
                  result['state_dict'])
    x = torch.randn(3, 3, SIZE, SIZE)
    same(model.logits(x), nets['eval_model'][1](nets['eval_model'][0](x)))
    same(model.head(embed(model.backbone, x)), nets['train_model'][1](nets['train_model'][0](x)))
    expected = dict(depth=kind[0], widen_factor=kind[1]) if isinstance(kind, tuple) else \
        dict(depth=34, stem=NETWORKS[kind][1])
    assert expected.items() <= result['meta'].items() and result['meta']['it'] == 1048576


def test_the_stem_of_a_small_network_has_to_be_said(tools):
    """``shortcut`` and a 3x3 stem: with or without a max pool."""
    _, checkpoint, ours = joint('resnet18_cifar')
    with pytest.raises(tools['resnet'].ConversionError, match='say --stem cifar or --stem gcc'):
        tools['spice'].convert(checkpoint)
    for stem in ('cifar', 'gcc'):
        assert tools['spice'].convert(checkpoint, stem)['meta']['stem'] == stem
    nets, checkpoint, _, _ = pretext('resnet18_cifar')
    checkpoint.pop('arch')
    with pytest.raises(tools['resnet'].ConversionError, match='say --stem'):
        tools['spice'].convert(checkpoint)


def dropped(*parts):
    return lambda c: dict(c, state_dict={name: value for name, value in c['state_dict'].items()
                                         if not any(part in name for part in parts)})


def added(**new):
    return lambda c: dict(c, state_dict={**c['state_dict'], **{f'module.{name}': value for name, value in new.items()}})


@pytest.mark.parametrize('make, spoil, options, message', [
    (pretext, dropped('queue'), {}, 'missing: queue and queue_ptr'),
    (pretext, dropped('encoder_k.fc'), {}, r'missing: encoder_k.fc.\*'),
    (pretext, dropped('encoder_k.layer4.2.bn2.bias'), {}, 'encoder_k does not fit; missing: layer4.2.bn2.bias'),
    (pretext, dropped('encoder_q.fc.2.bias'), {}, 'encoder_q.fc does not fit; missing: 2.bias'),
    (pretext, added(rotation=torch.ones(1)), {}, 'unknown: rotation'),
    (pretext, lambda c: c, dict(head=1), '--head is for one of several heads'),
    (pretext, added(queue=torch.ones(3)), {}, 'queue should be a matrix'),
    (heads, lambda c: c, {}, '12 heads and does not say which'),
    (heads, lambda c: c, dict(head=12), 'there is no head 12'),
    (heads, dropped('head_3.'), dict(head=1), 'not numbered from 0 without a gap'),
    (heads, dropped('head_3.classifier.lin1.bias'), dict(head=1), 'head 3 does not fit; missing: lin1.bias'),
    (heads, dropped('head_'), dict(head=1), 'not numbered from 0'),
    (heads, dropped('feature_module.conv1'), dict(head=1), 'feature_module: missing a stem'),
    (heads, added(**{'head.head_0..classifier.lin1.bias': torch.ones(1)}), dict(head=1), 'the file does not fit; unk'),
    (heads, added(**{'head.head_1.feature_conv.weight': torch.ones(1)}), dict(head=1), 'unknown: head.head_1.feature_'),
    (heads, lambda c: dict(state_dict={'conv1.weight': torch.ones(1)}), {}, 'starts with encoder_q or feature_module'),
], ids=lambda value: value if isinstance(value, str) else '')
def test_other_layouts_are_refused(tools, make, spoil, options, message):
    checkpoint = make()[1] if make is pretext else dict(epoch=30, state_dict=heads()[2], optimizer={})
    with pytest.raises(tools['resnet'].ConversionError, match=message):
        tools['spice'].convert(spoil(checkpoint), **options)


@pytest.mark.parametrize('spoil, message', [
    (lambda c: dict(train_model=c['train_model']), 'no state dict under any of eval_model'),
    (lambda c: dict(c, eval_model={**c['eval_model'], 'fc2.weight': torch.ones(1)}), 'unknown: fc2.weight'),
    (lambda c: dict(c, train_model={k: v for k, v in c['train_model'].items() if 'convShortcut' not in k}),
     'train_model does not fit; missing: block1.layer.0.convShortcut.weight, block2'),
    (lambda c: dict(c, train_model={**c['train_model'], 'block1.layer.1.convShortcut.weight': torch.ones(1)}),
     'unknown: block1.layer.1.convShortcut'),
    (lambda c: dict(c, train_model={k: v for k, v in c['train_model'].items() if not k.startswith('block3')}),
     '2 groups of 2 blocks'),
    (lambda c: dict(c, train_model={k: v for k, v in c['train_model'].items() if not k.startswith('fc')}),
     r'missing: fc.\*'),
    (lambda c: dict(c, train_model=joint((10, 2))[1]['train_model']), 'train_model and eval_model differ'),
], ids=['no-average', 'unknown', 'no-shortcut', 'shortcut', 'groups', 'no-head', 'differ'])
def test_other_joint_layouts_are_refused(tools, spoil, message):
    with pytest.raises(tools['resnet'].ConversionError, match=message):
        tools['spice'].convert(spoil(joint((16, 2))[1]))


def test_command_line_takes_the_number_of_a_head(tools, tmp_path):
    torch.save(dict(epoch=30, state_dict=heads()[2], optimizer={}), tmp_path / 'last.pth.tar')
    argv = [str(tmp_path / 'last.pth.tar'), str(tmp_path / 'out.pth')]
    main, module = tools['released'].main, tools['spice']
    with pytest.raises(SystemExit, match='name it by --head'):
        main(module.convert, '', argv, tools['head'].BEST_OPTIONS)
    main(module.convert, '', [*argv, '--head', '3', '--best-so-far', 'network'], tools['head'].BEST_OPTIONS)
    saved = torch.load(tmp_path / 'out.pth', weights_only=True)
    assert saved['meta']['kept_head'] == 3 and saved['state_dict']['best_so_far.head_index'] == 3
    assert 'best_so_far.backbone.conv1.weight' in saved['state_dict'] and saved['meta']['source'] == 'last.pth.tar'
