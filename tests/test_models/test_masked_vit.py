"""The masked transformer and its decoder: sizes, initial values, masks, and agreement with mmpretrain's own call."""
import math

import pytest
import torch
from mmpretrain.models import MAEPretrainDecoder, MAEViT
from torch import nn

from mmcluster.functional.views.masked import masked_reconstruction, sincos_position
from mmcluster.models.backbones import MaskedDecoder, MaskedViT
from mmcluster.registry import MODELS

ARCH = dict(embed_dims=16, num_layers=2, num_heads=4, feedforward_channels=32)
SMALL = dict(arch=ARCH, img_size=16, patch_size=4)


def encoder(training=True, **options):
    torch.manual_seed(0)
    network = MODELS.build(dict(dict(type='MaskedViT', **SMALL), **options))
    network.init_weights()
    network.train(training)
    return network


def decoder(**options):
    torch.manual_seed(0)
    network = MODELS.build(dict(dict(type='MaskedDecoder', embed_dim=16, img_size=16, patch_size=4,
                                     decoder_embed_dim=8, decoder_depth=2, decoder_num_heads=2), **options))
    network.init_weights()
    return network


def images(size=3, channels=3, side=16):
    return torch.randn(size, channels, side, side, generator=torch.Generator().manual_seed(1))


def count(network):
    return sum(value.numel() for value in network.state_dict().values())


def test_the_papers_networks_have_the_released_size():
    small, full = MaskedViT(), MaskedDecoder()
    assert round(count(small) / 1e6, 2) == 11.02
    assert round((count(small) + count(full)) / 1e6, 2) == 36.93
    for name, width, layers in (('tiny', 192, 4), ('base', 768, 12)):
        network = MaskedViT(f'pici-{name}', img_size=32)
        assert (network.out_channels, len(network.layers), network.layers[0].attn.num_heads) == (width, layers, 12)


def test_the_plain_call_is_the_class_token_of_mmpretrains_unmasked_call():
    network, x, reference = encoder(), images(), MAEViT(ARCH, 16, 4)
    reference.load_state_dict(network.state_dict())
    for training in (True, False):
        network.train(training)
        torch.testing.assert_close(network(x), reference(x, mask=None)[-1][:, 0])


def test_masked_tokens_are_those_of_mmpretrain_for_the_same_seed():
    network, x = encoder(), images()
    reference = MAEViT(ARCH, 16, 4, mask_ratio=0.5)
    reference.load_state_dict(network.state_dict())
    torch.manual_seed(3)
    ours = network.masked(x)
    torch.manual_seed(3)
    for mine, theirs in zip(ours, reference(x, mask=True)):
        torch.testing.assert_close(mine, theirs)
    assert ours.tokens.shape == (3, 9, 16) and (ours.mask.sum(1) == 8).all()


def test_decoding_is_mmpretrains_with_our_positions():
    network, tokens = decoder(), torch.randn(3, 9, 16)
    reference = MAEPretrainDecoder(16, 4, 3, 16, 8, 2, 2)
    reference.load_state_dict(network.state_dict())
    restore = torch.stack([torch.randperm(16) for _ in range(3)])
    assert torch.equal(network(tokens, restore), reference(tokens, restore))
    assert network(tokens, restore).shape == (3, 16, 48)


def test_masks_come_from_the_global_generator_one_an_image():
    network, x = encoder(), images().repeat(2, 1, 1, 1)
    torch.manual_seed(0)
    first = network.masked(x)
    torch.manual_seed(0)
    assert torch.equal(network.masked(x).mask, first.mask)
    assert not torch.equal(network.masked(x).mask, first.mask)
    assert len(first.mask.unique(dim=0)) > 1
    network.eval()
    assert network.masked(x).tokens.shape == first.tokens.shape, 'evaluation does not switch masks off'


def test_removed_patches_have_no_influence():
    network, x = encoder(), images(1)
    torch.manual_seed(5)
    tokens, mask, _ = network.masked(x)
    hidden = mask.view(4, 4).repeat_interleave(4, 0).repeat_interleave(4, 1).bool()
    torch.manual_seed(5)
    assert torch.equal(network.masked(x.masked_fill(hidden, 100.)).tokens, tokens)
    torch.manual_seed(5)
    assert not torch.allclose(network.masked(x.masked_fill(~hidden, 100.)).tokens, tokens)


@pytest.mark.parametrize('ratio, visible', [(0., 16), (0.25, 12), (0.5, 8), (0.93, 1)])
def test_ratios(ratio, visible):
    tokens, mask, restore = encoder(mask_ratio=ratio).masked(images())
    assert tokens.shape[1] == 1 + visible and (mask.sum(1) == 16 - visible).all()
    assert torch.equal(restore.sort(1).values, torch.arange(16).expand(3, -1))


def test_no_mask_at_test_unless_asked_for():
    x, plain, random = images(), encoder(False), encoder(False, test_mask_ratio=0.5)
    assert torch.equal(plain(x), plain(x))
    assert not torch.equal(random(x), random(x))
    random.train()
    assert torch.equal(random(x), plain(x)), 'the option is for evaluation'


def test_initial_values_are_the_released_ones():
    network, guess = encoder(arch=dict(ARCH, embed_dims=64, feedforward_channels=256)), decoder()
    for name, part in [*network.named_modules(), *guess.named_modules()]:
        if isinstance(part, nn.Linear):
            bound = math.sqrt(6 / (part.in_features + part.out_features))
            assert not part.bias.any() and 0.8 * bound < part.weight.abs().max() <= bound, name
        if isinstance(part, nn.LayerNorm):
            assert (part.weight == 1).all() and not part.bias.any()
    weight, bound = network.patch_embed.projection.weight, math.sqrt(6 / (64 + 48))
    assert 0.95 * bound < weight.abs().max() <= bound
    assert network.cls_token.std().item() == pytest.approx(0.02, rel=0.4)
    assert guess.mask_token.abs().max() > 0
    for table in (network.pos_embed, guess.decoder_pos_embed):
        torch.testing.assert_close(table[0], sincos_position(table.shape[-1], 4).float())
        assert not table.requires_grad and not isinstance(table, nn.Parameter), 'whoever trains the network anew'


def test_the_memory_format_does_not_matter():
    torch.manual_seed(0)
    network = MaskedViT(**SMALL).to(memory_format=torch.channels_last)
    network.init_weights()
    torch.manual_seed(0)
    plain = MaskedViT(**SMALL)
    plain.init_weights()
    assert all(torch.equal(value, plain.state_dict()[name]) for name, value in network.state_dict().items())
    x = images()
    torch.testing.assert_close(network(x.contiguous(memory_format=torch.channels_last)), plain(x))


def test_learned_positions_train():
    network = encoder(position='learned')
    network(images()).sum().backward()
    assert network.pos_embed.grad is not None and network.pos_embed.std().item() == pytest.approx(0.02, rel=0.3)


def test_a_file_is_kept_as_it_is(tmp_path):
    source = encoder()
    for parameter in source.parameters():
        parameter.data.normal_()
    torch.save(dict(state_dict=source.state_dict()), tmp_path / 'vit.pth')
    loaded = encoder(init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'vit.pth')))
    for name, value in source.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name


@pytest.mark.parametrize('options', [dict(channels=1, side=8), dict(channels=4, side=8)])
def test_small_images_of_other_channels_learn(options):
    channels, side = options['channels'], options['side']
    network = encoder(img_size=side, patch_size=2, in_channels=channels)
    guess, x = decoder(img_size=side, patch_size=2, in_channels=channels), images(4, channels, side)
    tokens, mask, restore = network.masked(x)
    masked_reconstruction(x, guess(tokens, restore), mask, 2).backward()
    for part in (network, guess):
        missing = [name for name, p in part.named_parameters() if p.requires_grad and p.grad is None]
        assert missing == []


def test_images_need_not_be_square():
    network, guess = encoder(img_size=(8, 16)), decoder(img_size=(8, 16))
    x = torch.randn(2, 3, 8, 16)
    tokens, mask, restore = network.masked(x)
    assert network.grid == (2, 4) and guess(tokens, restore).shape == (2, 8, 48)
    torch.testing.assert_close(network.pos_embed[0, 1:], sincos_position(16, (2, 4), False).float())
    assert masked_reconstruction(x, guess(tokens, restore), mask, 4).isfinite()


@pytest.mark.parametrize('options, message', [
    (dict(patch_size=5), 'do not tile an image of 16 x 16'), (dict(img_size=18), 'do not tile'),
    (dict(patch_size=0), 'do not tile'), (dict(patch_size=32), 'do not tile'),
    (dict(mask_ratio=0.95), 'leaves none of 16 patches'), (dict(mask_ratio=1.), 'leaves none'),
    (dict(mask_ratio=-0.1), 'leaves none'), (dict(test_mask_ratio=1.), 'test_mask_ratio'),
    (dict(position='rotary'), 'position'), (dict(arch=dict(ARCH, num_heads=3)), 'multiple of the 3 heads'),
    (dict(arch=dict(ARCH, embed_dims=18, num_heads=3)), 'and of 4')])
def test_what_cannot_work_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        encoder(**options)


def test_the_decoder_refuses_the_same():
    with pytest.raises(ValueError, match='do not tile'):
        decoder(patch_size=5)
    with pytest.raises(ValueError, match='MaskedDecoder: the width 10'):
        decoder(decoder_embed_dim=10)


def test_images_of_another_size_are_refused_and_so_is_their_table():
    with pytest.raises(ValueError, match=r'built for images of \(16, 16\) pixels and got \(32, 32\)'):
        encoder()(images(side=32))
    with pytest.raises(RuntimeError, match='pos_embed'):
        encoder(img_size=32).load_state_dict(encoder().state_dict())


@pytest.mark.parametrize('option', [dict(out_type='avg_featmap'), dict(final_norm=False), dict(out_indices=[0]),
                                    dict(patch_cfg=dict(stride=1))])
def test_options_that_would_not_count(option):
    with pytest.raises(ValueError, match=f'always gives the class token .*drop .*{list(option)[0]}'):
        encoder(**option)
