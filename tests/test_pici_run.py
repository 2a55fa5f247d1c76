"""Whole runs of PICI: interrupted in each phase, on permuted labels, without a hook, with too small a batch."""
import json

import pytest
import torch
from killed import Killed
from reduced import K, N, differences, load, train, write_digits
from reduced_pici import EPOCHS, PHASE, pici_cfg

from mmcluster.models.backbones import MaskedDecoder
from mmcluster.models.clusterers import PICI

pytestmark = pytest.mark.usefixtures('engine')
STEPS = 3


@pytest.fixture
def steps(monkeypatch):
    """Iteration -> losses and pseudo-labels of every step; a repeated one replaces its entry."""
    seen, loss = {}, PICI.loss

    def watched(self, batch):
        losses = loss(self, batch)
        moving = {name: value.item() for name, value in losses.items()}
        seen[tuple(sorted(batch.index.tolist())), self.pisd, self.picd, self.cross_level] = \
            [moving, self.bank.view_label.clone()]
        return losses

    monkeypatch.setattr(PICI, 'loss', watched)
    return seen


def outcome(path):
    form = load(path)
    return {key: form[key] for key in ('state_dict', 'optimizer')}


@pytest.mark.parametrize('options', [{}, dict(match='set')], ids=['batch', 'set'])
def test_interrupted_in_each_phase_equals_uninterrupted(tmp_path, kill, steps, options):
    data = write_digits(tmp_path)

    def make(name):
        cfg = pici_cfg(tmp_path / name, data, **options)
        if options:
            cfg.custom_hooks.append(dict(type='MatchHook', begin=2 * PHASE))
        return cfg

    whole = outcome(train(make('whole'))['train'])
    expected = dict(steps)
    assert len(expected) == EPOCHS * STEPS
    steps.clear()
    for i, epoch in enumerate((1, PHASE + 1, 2 * PHASE + 1)):       # in the second epoch of each phase
        kill(epoch * STEPS + 1)
        with pytest.raises(Killed):
            train(make('parts'), resume=bool(i))
    kill(None)
    assert differences(whole, outcome(train(make('parts'), resume='auto')['train'])) == []
    assert set(steps) == set(expected)
    assert all(steps[key][0] == value and torch.equal(steps[key][1], label) for key, (value, label) in expected.items())


def test_phases_of_a_run(tmp_path, steps, monkeypatch):
    decoded, forward = [], MaskedDecoder.forward
    monkeypatch.setattr(MaskedDecoder, 'forward', lambda self, *args: decoded.append(1) or forward(self, *args))
    path = train(pici_cfg(tmp_path / 'work', write_digits(tmp_path)))['train']
    names = [{name for name in losses if name.startswith('loss_')} for losses, _ in steps.values()]
    contrast = {'loss_instance', 'loss_cluster'}
    phase = PHASE * STEPS
    assert names == [{'loss_pisd'}] * phase + [{'loss_pisd', *contrast}] * phase + [{'loss_cross_level', *contrast}] * phase
    assert len(decoded) == 2 * phase, 'not in boosting, not in the E-step, not in evaluation'
    labels = [label for _, label in steps.values()]
    assert all((label == -1).all() for label in labels[:2 * phase])
    assert all(torch.equal(label, labels[-1]) for label in labels[2 * phase:])
    state = load(path)['state_dict']
    assert torch.equal(state['bank.view_label'], labels[-1])
    assert (labels[-1] >= 0).all() and all(len(view.unique()) == K for view in labels[-1].unbind(1))
    moments = load(path)['optimizer']['state']
    assert {int(slot['step']) for slot in moments.values()} == {2 * phase, 3 * phase}, 'heads start late, decoder ends'
    metrics = json.loads((tmp_path / 'work' / 'metrics.jsonl').read_text().splitlines()[-1])
    assert 'head/acc' in metrics


def test_labels_of_another_estep_differ(tmp_path):
    """The comparison of resumed runs would be empty if all draws gave the same labels."""
    data = write_digits(tmp_path)
    first = outcome(train(pici_cfg(tmp_path / 'once', data))['train'])
    cfg = pici_cfg(tmp_path / 'often', data)
    cfg.custom_hooks[3].interval = 1
    second = outcome(train(cfg)['train'])
    assert 'state_dict.bank.view_label' in differences(first, second)


def test_permuted_labels_leave_the_weights_bit_identical(tmp_path):
    found = [outcome(train(pici_cfg(tmp_path / f'{permute}', write_digits(tmp_path / 'data', permute),
                                    epochs=3, phase=1))['train']) for permute in (None, 1)]
    assert differences(*found) == []


# ---- bad input

def test_a_hook_that_is_missing(tmp_path):
    data = write_digits(tmp_path)
    with pytest.raises(ValueError, match=r"PICI needs dict\(type='MatchHook'\)"):
        train(pici_cfg(tmp_path / 'set', data, epochs=1, match='set'))


@pytest.mark.parametrize('hooks, message', [
    (slice(0, 3), 'cross_level is not 0 from epoch 4 on, and the KMeansHook that writes bank.view_label is missing'),
    (slice(0, 4), 'begins at epoch 5; give custom_hooks one with field=.view_label. and begin=4')])
def test_labels_that_would_come_too_late(tmp_path, hooks, message):
    """Said before training, not when boosting begins."""
    cfg = pici_cfg(tmp_path / 'work', write_digits(tmp_path))
    cfg.custom_hooks[3].begin = 5
    cfg.custom_hooks = cfg.custom_hooks[hooks]
    with pytest.raises(ValueError, match=message):
        train(cfg)
    assert not list((tmp_path / 'work').rglob('*.pth'))


def test_names_that_would_come_too_late(tmp_path):
    """Labels that nothing has renamed yet stand for no cluster of the head."""
    cfg = pici_cfg(tmp_path / 'work', write_digits(tmp_path), match='set')
    cfg.custom_hooks.append(dict(type='MatchHook', begin=2 * PHASE + 1))
    with pytest.raises(ValueError, match='the MatchHook that writes bank.view_label begins at epoch 5.* begin=4'):
        train(cfg)


def test_labels_whose_begin_counts_iterations(tmp_path):
    cfg = pici_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=2, phase=0)
    cfg.custom_hooks[2].steps = [(0, 0.), (1, 1.)]
    cfg.custom_hooks[3].update(begin=STEPS, by_epoch=False)
    assert (load(train(cfg)['train'])['state_dict']['bank.view_label'] >= 0).all()
    cfg.custom_hooks[3].begin = 2 * STEPS
    with pytest.raises(ValueError, match='begins at epoch 2; .* begin=1'):
        train(cfg, overwrite=True)


def test_labels_of_a_weight_without_a_schedule(tmp_path):
    cfg = pici_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1, cross_level=1.)
    cfg.custom_hooks = []
    with pytest.raises(ValueError, match='cross_level is not 0 from epoch 0 on.*is missing'):
        train(cfg)
    cfg.model.cross_level = 0.
    assert 'state_dict' in load(train(cfg, overwrite=True)['train']), 'a run that never boosts needs no labels'


def test_more_clusters_than_rows_of_a_batch(tmp_path):
    cfg = pici_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1)
    cfg.train_dataloader.sampler.streams.batch.size = K - 1
    with pytest.raises(ValueError, match=r"PICI: stream 'batch' has size=3, fewer rows than the num_clusters=4"):
        train(cfg)


@pytest.mark.parametrize('options, message', [
    (dict(patch_size=3), 'patches of 3 pixels do not tile an image of 8 x 8'),
    (dict(mask_ratio=0.97), 'leaves none of 16 patches')])
def test_patches_and_masks_that_do_not_fit(tmp_path, options, message):
    cfg = pici_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1)
    cfg.model.backbone.merge(options)
    with pytest.raises(ValueError, match=message):
        train(cfg)
    assert not list((tmp_path / 'work').rglob('*.pth'))


def test_a_single_view(tmp_path):
    """Not silently halved into two views of different images."""
    cfg = pici_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1)
    cfg.model.data_preprocessor.views = cfg.model.data_preprocessor.views[:1]
    with pytest.raises(ValueError, match='PICI contrasts two views of every image and got 1'):
        train(cfg)


def test_images_of_another_size(tmp_path):
    cfg = pici_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1)
    for part in (cfg.model.backbone, cfg.model.decoder):
        part.img_size = 16
    with pytest.raises(ValueError, match=r'built for images of \(16, 16\) pixels and got \(8, 8\)'):
        train(cfg)


def test_as_many_images_as_the_bank_has_rows(tmp_path):
    state = load(train(pici_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1, phase=0))['train'])['state_dict']
    assert state['bank.view_label'].shape == (N, 2) and (state['bank.view_label'] >= 0).all()
