"""What the contrastive configs say: the releases' learning rates, views, queue and batch."""
import math

import pytest
import torch
from reduced import read_stage, stage_keys

from mmcluster.registry import MODELS, PARAM_SCHEDULERS

pytestmark = pytest.mark.usefixtures('engine')
NAMES = [key for kind in ('moco', 'simclr') for key in stage_keys(f'{kind}_r*') if 'symmetric' not in key]
PROPOS = stage_keys('moco_r*symmetric') + stage_keys('pcl_r*')


def read(name):
    return read_stage(name)


def test_there_are_configs():
    assert len(NAMES) >= 7


@pytest.mark.parametrize('name', NAMES)
def test_the_rate_moves_once_an_epoch(name):
    """MoCo: lr (1 + cos(pi e / E)) / 2 in epoch e, counted from 0; SimCLR: the same down to a thousandth of lr."""
    cfg = read(name)
    epochs, lr = cfg.train_cfg.max_epochs, cfg.optim_wrapper.optimizer.lr
    floor = lr / 1000 if name.startswith('simclr') else 0.
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = PARAM_SCHEDULERS.build(dict(cfg.param_scheduler, optimizer=optimizer))
    for epoch in range(epochs):
        expected = floor + (lr - floor) * (1 + math.cos(math.pi * epoch / epochs)) / 2
        assert optimizer.param_groups[0]['lr'] == pytest.approx(expected, rel=1e-9), epoch
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize('name', NAMES)
def test_both_views_are_drawn_alike(name):
    cfg = read(name)
    first, second = cfg.model.data_preprocessor.views
    kinds = [op.type for op in first]
    assert first == second and ('BatchGaussianBlur' in kinds) is name.startswith('moco')
    assert kinds[:3] == ['BatchRandomResizedCrop', 'BatchColorJitter', 'BatchGrayscale']
    assert first[0].scale == (0.2, 1.) and first[0].size == (96 if 'stl10' in name else 32)


@pytest.mark.parametrize('name', [name for name in NAMES if name.startswith('moco')])
def test_the_queue_holds_whole_batches(name):
    cfg = read(name)
    assert cfg.model.queue_size == (65536 if 'stl10' in name else 10240)
    assert cfg.model.queue_size % cfg.train_dataloader.sampler.streams.batch.size == 0


@pytest.mark.parametrize('name, total', [('moco_r18_cifar10', 11_168_832), ('moco_r34_cifar20', 21_276_992),
                                         ('simclr_r18_stl10', 11_168_832)])
def test_networks(name, total):
    model = MODELS.build(dict(read(name).model, data_preprocessor=None))
    assert sum(param.numel() for param in model.backbone.parameters()) == total
    assert sum(param.numel() for param in model.projector.parameters()) == 512 * 512 + 512 + 512 * 128 + 128


@pytest.mark.parametrize('name', PROPOS)
def test_what_propos_compares_with(name):
    """Queue of four steps of both views, temperature 1, decay 0.99, warm-up of 50 epochs, the key network with its head."""
    cfg = read(name)
    model, size = cfg.model, cfg.train_dataloader.sampler.streams.batch.size
    assert (model.queue_size, model.temperature, model.decay, model.deploy) == (4096, 1., 0.99, 'key')
    assert size == 512 and model.projector.out_channels == (128 if name.startswith('pcl') else 256)
    assert (model.directions == 'mean') is (name.startswith('pcl') and 'release' not in name)
    assert (cfg.optim_wrapper.optimizer.lr, cfg.optim_wrapper.optimizer.weight_decay) == (0.1, 1e-4)
    assert (cfg.param_scheduler.warmup_epochs, cfg.param_scheduler.eta_min_ratio) == (50, 0.01)
    assert [op.type for op in model.data_preprocessor.views[0]] == [
        'BatchRandomResizedCrop', 'BatchColorJitter', 'BatchGrayscale']
    if name.startswith('pcl'):
        assert model.granularities == [250, 500, 1000] and cfg.custom_hooks[0].steps == [(0, 0.), (50, 0.01)]
        assert cfg.custom_hooks[1].type == 'PrototypeHook' and cfg.custom_hooks[1].begin == 50


def teacher_schedule(cfg):
    """Hooks that move the decay of the momentum network."""
    return [hook for hook in cfg.custom_hooks if hook.get('param') == 'teacher.decay']


@pytest.mark.parametrize('data', ['cnn_digits', 'cnn_sign_digits', 'r18_cifar10', 'r18_cifar20'])
def test_pcl_on_byol_changes_no_network_of_byol(data):
    byol, pcl = (read(f'{name}_{data}') for name in ('byol', 'byol_pcl'))
    for key in ('backbone', 'neck', 'predictor'):
        assert byol.model[key] == pcl.model[key], key
    assert byol.model.get('decay') == pcl.model.get('decay') and teacher_schedule(byol) == teacher_schedule(pcl) != []
    assert byol.train_dataloader == pcl.train_dataloader and byol.optim_wrapper == pcl.optim_wrapper
