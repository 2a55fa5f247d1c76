"""Other backends of mmengine's visualiser get the numbers and the pictures of a run."""
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.visualization.vis_backend import BaseVisBackend, MLflowVisBackend
from reduced import K, load, propos_cfg, train, write_digits

from mmcluster.cli.train import edit_stage
from mmcluster.engine.hooks.watched import _name_for
from mmcluster.registry import VISBACKENDS

pytestmark = pytest.mark.usefixtures('engine')


@VISBACKENDS.register_module(force=True)
class RecordingBackend(BaseVisBackend):
    """Keeps what it is given."""

    kept: list = []

    def __init__(self, save_dir=''):
        super().__init__(save_dir)

    def _init_env(self):
        pass

    @property
    def experiment(self):
        return self

    def add_scalar(self, name, value, step=0, **kwargs):
        RecordingBackend.kept.append((name, step, float(value)))

    def add_scalars(self, scalars, step=0, file_path=None, **kwargs):
        for name, value in scalars.items():
            RecordingBackend.kept.append((name, step, value))

    def add_image(self, name, image, step=0, **kwargs):
        RecordingBackend.kept.append((name, step, image))


def watched(folder, backends, **settings):
    cfg = propos_cfg(folder, write_digits(folder.parent / 'data'), epochs=2, warmup=1)
    cfg.train_cfg.val_interval = 1
    cfg.visualizer = dict(type='Visualizer', vis_backends=backends)
    cfg.merge_from_dict(settings)
    return load(train(cfg)['train'])['state_dict']


def test_numbers_figures_and_galleries_reach_every_backend(tmp_path):
    RecordingBackend.kept = []
    state = watched(tmp_path / 'work', [dict(type='LocalVisBackend'), dict(type='RecordingBackend')])
    kept = RecordingBackend.kept
    names = {name for name, *_ in kept}
    history = [json.loads(line) for line in (tmp_path / 'work' / 'metrics.jsonl').read_text().splitlines()]
    assert {'loss', 'lr'} <= names and [value for name, _, value in kept if name == 'kmeans/acc'] == [
        line['kmeans/acc'] for line in history]
    galleries = [(step, value) for name, step, value in kept if name == 'kmeans/clusters']
    assert [step for step, _ in galleries] == [1, 2]
    assert all(value.shape == (K * 36, 8 * 36, 3) and value.dtype == np.uint8 for _, value in galleries)
    digits = np.load(tmp_path / 'data' / 'images.npy')
    tile = galleries[-1][1][2:34:4, 2:34:4, 0]
    assert any(np.abs(tile.astype(int) - digit).max() <= 1 for digit in digits), 'an image as it is'
    assert sum(name == 'kmeans/sizes' for name, *_ in kept) == 2
    local = list((tmp_path / 'work').glob('*/vis_data/scalars.json'))
    assert 'kmeans/acc' in local[0].read_text() and not list((tmp_path / 'work').glob('*/vis_data/vis_image'))
    plain = watched(tmp_path / 'plain', [])
    assert all(torch.equal(value, plain[name]) for name, value in state.items()), 'who watches changes nothing'


@VISBACKENDS.register_module(force=True)
class BrokenBackend(RecordingBackend):
    """A backend that takes no picture."""

    def add_image(self, name, image, step=0, **kwargs):
        raise OSError('its server is away')


def test_a_backend_that_fails_takes_nothing_from_the_others(tmp_path, capfd):
    RecordingBackend.kept = []
    watched(tmp_path / 'work', [dict(type='BrokenBackend'), dict(type='RecordingBackend')], log_level='WARNING')
    assert sum(name == 'kmeans/clusters' for name, *_ in RecordingBackend.kept) == 2
    assert 'clusters are not shown by BrokenBackend: OSError: its server is away' in ''.join(capfd.readouterr())


def test_mlflow_gets_names_of_files(tmp_path):
    """It tells the format by the name, and keeps the last of one name alone."""
    assert _name_for(MLflowVisBackend(str(tmp_path)), 'kmeans/sizes', 4) == 'kmeans/sizes_4.png'


def test_tensorboard_has_them(tmp_path):
    pytest.importorskip('tensorboard')
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    watched(tmp_path / 'work', [dict(type='TensorboardVisBackend')])
    events = EventAccumulator(str(next((tmp_path / 'work').rglob('events.out.*')).parent)).Reload()
    assert {'loss', 'kmeans/acc'} <= set(events.Tags()['scalars'])
    assert {'kmeans/clusters', 'kmeans/sizes'} <= set(events.Tags()['images'])


@pytest.mark.parametrize('visualizer', [{}, dict(visualizer=dict(vis_backends=[dict(type='WandbVisBackend')]))])
def test_a_word_of_the_command_line_adds_a_backend_once(visualizer):
    cfg = Config(dict(train_cfg=dict(max_epochs=2), **visualizer))
    args = SimpleNamespace(epochs=None, amp=False, compile=False, no_validate=False, auto_scale_lr=False,
                           log_to=['wandb', 'mlflow'])
    edit_stage(cfg, args)
    kinds = [backend.type for backend in cfg.visualizer.vis_backends]
    assert kinds == (['WandbVisBackend', 'MLflowVisBackend'] if visualizer else
                     ['LocalVisBackend', 'WandbVisBackend', 'MLflowVisBackend'])
