"""A booster on a base, trained for some steps, and what must hold of it."""
import numpy as np
import torch
from ddp_scan import sharpen
from mmengine.config import ConfigDict
from mmengine.hooks import Hook
from reduced import N, differences, load, train
from reduced_spice import NARROW

from mmcluster.models.base_parts import load_base
from mmcluster.registry import HOOKS, MODELS


@HOOKS.register_module(force=True)
class NoteHook(Hook):
    """Keeps the weights before the first step and what every step returned."""

    priority = 'LOWEST'
    start: dict = {}
    losses: list = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 0:
            NoteHook.losses = []
            NoteHook.start = {name: value.clone() for name, value in runner.model.state_dict().items()}

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        NoteHook.losses.append({name: value.item() for name, value in outputs.items()})


def write_heads(path, cfg, images):
    """Write several heads on a random network that tell the digits apart; returns the config of a base.

    Args:
        path: File.
        cfg: Config of a SPICE or SCAN on a backbone.
        images: (N, 1, 8, 8).
    """
    cfg = {key: value for key, value in cfg.items() if key not in ('base', 'data_preprocessor')}
    torch.manual_seed(0)
    model = MODELS.build(ConfigDict(cfg, backbone=NARROW, bank=dict(num_samples=N)))
    model.init_weights()
    with torch.no_grad():
        for _ in range(50):
            model.backbone.train()(images)
        feats = model.backbone.eval()(images)
        for head in model.head.heads:
            sharpen(head.fc, feats, 4.) if hasattr(head, 'fc') else sharpen(head.fc2, head.relu(head.fc1(feats)), 4.)
    model.keep_if_better(torch.tensor([3., 1., 2.]))
    torch.save(dict(state_dict=model.state_dict()), path)
    return dict(cfg, backbone=NARROW, bank=dict(num_samples=None),
                init_cfg=dict(type='Pretrained', checkpoint=str(path)))


def deployed(base):
    """Weights of what a base hands over, by the names that a booster has for them."""
    parts = zip(('backbone', 'neck', 'head'), load_base(ConfigDict(base)).deployed())
    return {f'{name}.{key}': value for name, part in parts if part is not None
            for key, value in part.state_dict().items()}


def run(cfg):
    """Train; returns the weights at the start, the losses of every step and the weights at the end."""
    cfg.custom_hooks = [*cfg.get('custom_hooks', []), dict(type='NoteHook')]
    path = train(cfg)['train']
    return NoteHook.start, NoteHook.losses, dict(load(path)['state_dict'])


def check(found, terms, base=None, trained=('backbone', 'head')):
    """The booster began with the base's parts, every term was finite and some was not 0, and all parts moved."""
    start, losses, end = found
    if base is not None:
        wanted = deployed(base)
        assert differences({key: start[key] for key in wanted}, wanted) == []
    assert len(losses) > 5
    for term in terms:
        values = [step[term] for step in losses]
        assert all(np.isfinite(values)) and any(values), term
    assert {key for step in losses for key in step if key.startswith('loss_')} == set(terms)
    assert set(trained) <= {key.split('.')[0] for key in differences(start, end)}
