"""Every shipped config parses, survives a round trip, fits on the stages before it, and groups its parameters."""
import ast
import re
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace

import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.registry import DefaultScope
from reduced import CONFIGS, ROOT
from torch import nn

from mmcluster.engine.hooks import SelectHook, TransitionHook
from mmcluster.engine.launch import scale_lr
from mmcluster.models.base_parts import build_base
from mmcluster.recipes import recipe
from mmcluster.recipes.placeholders import placeholders
from mmcluster.recipes.requirements import check_batch, check_hooks, check_labels
from mmcluster.registry import HOOKS, MODELS, OPTIM_WRAPPER_CONSTRUCTORS
from mmcluster.strict import state_dict_problems

PATHS = sorted(CONFIGS.glob('*.py'))
EVERY = sorted(CONFIGS.rglob('*.py'))
RECIPES = [path for path in PATHS if 'stages' in Config.fromfile(path, lazy_import=False)]
# Factor of the backbone's learning rate in ClusMatch: slow as released; the paper has one rate for all.
SLOW_BACKBONE = re.compile(r'propos_clusmatch_(r18(?!_cifar10_paper)|r50_imagenet).*/clusmatch|'
                           r'(gcc|secu)_clusmatch_r.*/clusmatch|cc_(clusmatch|fixmatch)_r34_cifar10/.*match')


# of SeCu's centres, by the backbone, the number of clusters and the rate of the network
CENTER_RATES = {('ResNet_CIFAR', 10, 0.2): 1.2, ('ResNet_CIFAR', 20, 0.2): 0.8, ('ResNet_CIFAR', 100, 0.2): 0.01,
                ('GCCResNet', 10, 0.2): 0.8, ('ResNet', 1000, 1.6): 4.2, ('SmallCNN', 10, 0.05): 1.2}


def name_of(path):
    return path.stem


every_config = pytest.mark.parametrize('path', PATHS, ids=name_of)
every_recipe = pytest.mark.parametrize('path', RECIPES, ids=name_of)


def read(path):
    return Config.fromfile(path, lazy_import=False)


def with_names(path):
    """(name, config) of a config, or of every stage of a recipe."""
    cfg = read(path)
    if 'stages' not in cfg:
        return [(path.stem, cfg)]
    cfg.work_dir = 'unused'
    given = {name: f'/runs/{name}.pth' for name in cfg.stages}
    return [(name, recipe.stage_config(cfg, name, given)) for name in cfg.stages]


# ---- text

def test_there_are_configs():
    assert len(RECIPES) > 80


@pytest.mark.parametrize('path', EVERY, ids=name_of)
def test_a_config_imports_nothing(path):
    text = re.sub(r'\{\{.*?\}\}', '0', path.read_text(encoding='utf-8'))  # what mmengine fills in
    nodes = list(ast.walk(ast.parse(text)))
    assert not any(isinstance(node, (ast.Import, ast.ImportFrom)) for node in nodes)


@every_config
def test_the_head_names_a_command_that_exists(path):
    head = path.read_text(encoding='utf-8').split('\n\n')[0]
    commands = [line for line in head.splitlines() if line.startswith('#')]
    named = re.findall(r'configs/\S+?\.py', '\n'.join(commands))
    assert named and all((ROOT / name).is_file() for name in named)


@every_config
def test_dumped_and_read_again(path, tmp_path):
    cfg = read(path)
    cfg.dump(tmp_path / 'dumped.py')
    assert read(tmp_path / 'dumped.py').to_dict() == cfg.to_dict()


def test_the_environment_names_folder_and_clusters(monkeypatch, tmp_path):
    monkeypatch.setenv('IMAGES', str(tmp_path))
    monkeypatch.setenv('CLUSTERS', '3')
    for _, cfg in with_names(CONFIGS / 'propos_clusmatch_r18stl_folder64.py'):
        assert cfg.train_dataloader.dataset.source.root == str(tmp_path)
        found = re.findall(r"'num_clusters': (\S+?)[,}]", str(cfg.to_dict()))
        assert set(found) == {'3'}, 'the model says it, and who else states it says the same'


def test_model_index():
    path = ROOT / 'model-index.yml'
    if not path.exists():
        pytest.skip('there is no model-index.yml')
    models = [model for part in read_index(path) for model in part['Models']]
    listed = [model['Config'] for model in models]
    assert all((ROOT / name).is_file() for name in listed)
    assert {config.relative_to(ROOT).as_posix() for config in PATHS} == set(listed)
    names = [model['Name'] for model in models]
    assert len(set(names)) == len(names) and not any('/_base_/' in name for name in listed)


def read_index(path):
    """The index and the files that it imports."""
    content = yaml.safe_load(path.read_text(encoding='utf-8'))
    parts = [part for name in content.get('Import', []) for part in read_index(path.parent / name)]
    return parts + [content] * ('Models' in content)


# ---- recipes

@every_recipe
def test_stages_resolve_and_placeholders_fill(path):
    """A stage names one or more of those before it, and each but the last is named by a later one."""
    cfg = read(path)
    cfg.work_dir = 'work'
    given, used = {}, set()
    for name in cfg.stages:
        stage = recipe.stage_config(cfg, name, given)
        assert placeholders(stage.to_dict()) == [] and stage.work_dir == f'work/{name}'
        still_open = placeholders(recipe.stage_config(cfg, name, {}).to_dict())
        assert all('init_cfg.checkpoint=' in place for place in still_open)
        named = {place.split('=')[1].strip('{}') for place in still_open}
        assert named <= set(given) and bool(named) is bool(given)
        given[name], used = f'/runs/{name}.pth', used | named
    assert used == set(list(given)[:-1])


def core(source):
    """(what a source reads, its splits); a source inside another one counts."""
    source = source.get('source', source)
    splits = source.get('split', source.get('splits'))
    return {key: value for key, value in source.items() if key not in ('split', 'splits')}, \
        frozenset(splits.split('+') if isinstance(splits, str) else splits or ())


@every_recipe
def test_stages_share_their_images(path):
    """One data set; the same images trained on, unlabelled ones aside; all are evaluated, or all others are."""
    configs = [cfg for _, cfg in with_names(path)]
    train = [core(cfg.train_dataloader.dataset.source) for cfg in configs]
    test = [core(cfg[name].dataset.source) for cfg in configs for name in ('val_dataloader', 'test_dataloader')]
    assert all(what == train[0][0] for what, _ in train + test)
    assert len({splits - {'unlabeled'} for _, splits in train}) == len({splits for _, splits in test}) == 1
    trained, tested = train[0][1] - {'unlabeled'}, test[0][1]
    assert trained == tested or not trained & tested


def older_networks(value):
    """(checkpoint, model config) of all networks in a nested config that load a whole checkpoint."""
    found = []
    if isinstance(value, dict):
        init_cfg = value.get('init_cfg')
        if isinstance(init_cfg, dict) and init_cfg.get('type') == 'Pretrained' and 'backbone' in value:
            found.append((init_cfg['checkpoint'], value))
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            found += older_networks(item)
    return found


@every_recipe
def test_a_stage_fits_on_those_before(path):
    """Weights load strictly."""
    trained = {}
    for name, cfg in with_names(path):
        for checkpoint, network in older_networks(cfg._cfg_dict):
            with without_memory():
                base = build_base(network)
            own = {key: value for key, value in base.state_dict().items() if key.startswith('bank.')}
            assert state_dict_problems(base, {**trained[checkpoint], **own}) == []
        state = on_paper(cfg).state_dict()
        trained[f'/runs/{name}.pth'] = {key: value for key, value in state.items() if not key.startswith('bank.')}


# ---- optimiser groups

@contextmanager
def without_memory():
    """Modules built here have no memory for their weights; backbones read numbers from ``linspace``."""
    with pytest.MonkeyPatch.context() as patch, DefaultScope.overwrite_default_scope('mmcluster'), \
            torch.device('meta'):
        patch.setattr(torch, 'linspace', partial(torch.linspace, device='cpu'))
        yield


def on_paper(cfg):
    """The model without memory for its weights."""
    with without_memory():
        bank = dict(bank=dict(cfg.model.bank, num_samples=4)) if cfg.model.get('bank') else {}
        return MODELS.build(dict(cfg.model, **bank))


def rates_of(model, cfg):
    """Name -> (learning rate, weight decay) of all trained parameters."""
    wrapper, optimizer = dict(cfg.optim_wrapper), cfg.optim_wrapper.optimizer
    rates = optimizer.lr, optimizer.get('weight_decay', 0.)
    if 'constructor' not in wrapper:
        return {name: rates for name, param in model.named_parameters() if param.requires_grad}
    paramwise = wrapper.pop('paramwise_cfg', None)
    groups = OPTIM_WRAPPER_CONSTRUCTORS.get(wrapper.pop('constructor'))(wrapper, paramwise).groups(model, *rates)
    names = {id(param): name for name, param in model.named_parameters()}
    return {names[id(param)]: (group['lr'], group['weight_decay']) for group in groups for param in group['params']}


def trained_names(model):
    """Names of the parameters that have to train."""
    resting = ('teacher.', 'best_so_far.') + (('backbone.', 'neck.') if getattr(model, 'freeze', False) else ())
    return {key for key, _ in model.named_parameters() if not key.startswith(resting)}


FAST_PREDICTORS = ('ProPos', 'BYOL', 'BYOLPCL', 'BYOLCC')       # with LARS, ImageNet's large batches take one rate


@every_config
def test_parameter_groups(path):
    for name, cfg in with_names(path):
        model, given = on_paper(cfg), cfg.optim_wrapper.optimizer
        rates = rates_of(model, cfg)
        assert set(rates) == trained_names(model)
        kind = (cfg.optim_wrapper.get('paramwise_cfg') or {}).get('no_decay', 'none')
        small = {f'{where}.{key}' for where, module in model.named_modules()
                 for key, _ in module.named_parameters(recurse=False)
                 if (key == 'bias' and kind != 'norm')
                 or isinstance(module, (nn.LayerNorm, nn.modules.batchnorm._BatchNorm))}
        boost = cfg.model.type == 'Boost' and given.type != 'Adam'     # SCAN's, and small steps on digits
        if given.type == 'Adam':
            host = (cfg.model.get('base') or {}).get('type') if cfg.model.get('labeller') else None
            assert kind == ('ndim' if host == 'SPICE' else 'none')
        else:
            assert (kind != 'none') is boost and (kind == 'norm') is (boost and 'spice' in path.stem)
        factor = dict(backbone=0.01 if SLOW_BACKBONE.fullmatch(_single(path, name)) else 1.) if boost else \
            dict(predictor=10.) if (cfg.model.type in FAST_PREDICTORS and given.type != 'LARS') \
            or (cfg.model.type == 'SimSiam' and path.stem.endswith('sign_digits')) else {}    # measured there
        if cfg.model.type == 'SeCu':
            factor = dict(heads=CENTER_RATES[cfg.model.backbone.type, cfg.model.num_clusters, given.lr] / given.lr)
        if cfg.model.get('labeller') and 'base' in cfg.model and given.type == 'Adam':
            factor = dict(labeller=10.)
        for key, (lr, decay) in rates.items():
            assert decay == (0. if kind != 'none' and key in small else given.get('weight_decay', 0.)), key
            layer = cfg.optim_wrapper.get('paramwise_cfg', {}).get('layer_decay', 1.) ** below(key, model)
            assert lr == pytest.approx(given.lr * layer * factor.get(key.split('.')[0], 1.)), key


def below(key, model):
    """How many layers are above a parameter of a vision transformer: 1 of its last block; 0 elsewhere."""
    part, *rest = key.split('.')
    if part != 'backbone' or not hasattr(model.backbone, 'layers') or rest[0] == 'ln1':
        return 0
    return len(model.backbone.layers) + (1 if rest[0] != 'layers' else -int(rest[1]))


def _single(path, name):
    """Stem of the config behind a stage, or ``recipe/stage``."""
    stages = read(path).get('stages')
    if not stages:
        return path.stem
    return stages[name].config[:-len('.py')] if stages[name].get('config') else f'{path.stem}/{name}'


@every_recipe
def test_scaling_the_rate_by_the_shipped_batch_size_changes_nothing(path):
    cfg = read(path)
    for name in cfg.stages:
        cfg.work_dir = 'unused'
        stage = recipe.stage_config(cfg, name, {})
        if stage.get('auto_scale_lr'):
            given = stage.optim_wrapper.optimizer.lr
            scale_lr(stage)
            assert stage.optim_wrapper.optimizer.lr == pytest.approx(given)


# ---- what a model asks of the run

class OnPaper:
    """A Runner as the checks see it: a model on paper, hooks, streams and lengths of a config."""

    def __init__(self, cfg):
        sampler, self.model = cfg.train_dataloader.sampler, on_paper(cfg)
        length = sampler.get('length') or 50
        sizes = {name: stream.get('size') for name, stream in sampler.streams.items()}
        streams = {name: SimpleNamespace(size=size if isinstance(size, int) else 10 ** 6)
                   for name, size in sizes.items()}
        self.train_dataloader = SimpleNamespace(sampler=SimpleNamespace(streams=streams))
        self.max_iters = cfg.train_cfg.get('max_iters') or cfg.train_cfg.max_epochs * length
        self.train_loop = SimpleNamespace(dataloader=self.train_dataloader, max_iters=self.max_iters,
                                          max_epochs=cfg.train_cfg.get('max_epochs', 1))
        self.hooks = [HOOKS.build(dict(hook)) for hook in cfg.get('custom_hooks', [])]
        self.warnings = []
        self.logger = SimpleNamespace(warning=self.warnings.append)


@every_config
def test_every_stage_has_what_its_model_asks_for(path):
    for _, cfg in with_names(path):
        runner = OnPaper(cfg)
        check_hooks(runner)
        check_batch(runner)
        check_labels(runner)
        for hook in runner.hooks:
            if isinstance(hook, (SelectHook, TransitionHook)):
                hook.before_train(runner)
        assert runner.warnings == []
