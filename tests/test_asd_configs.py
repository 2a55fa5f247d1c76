"""What the configs of ASD say: sizes that belong together, the paper's windows, and its figures."""
import re

import pytest
import yaml
from mmengine.config import Config
from reduced import CONFIGS, ROOT, clusters_of, read_stage, stage_keys

from mmcluster.experiments import read_table, table_file
from mmcluster.experiments.jobs import plan
from mmcluster.recipes.stages import stage_config


def hook(cfg, kind):
    return next((hook for hook in cfg.custom_hooks if hook.type == kind), None)


def last_word(key):
    """Of a recipe's name: its data set."""
    return key.split('/')[0].split('_')[-1]


CONFIG = {key: read_stage(key) for key in stage_keys('*asd*')}
ASD = {key: cfg for key, cfg in CONFIG.items()
       if cfg.model.type == 'Boost' and cfg.model.get('labeller', {}).get('type') == 'ASDLabels'}
MAPPED = [name for name, cfg in ASD.items() if not cfg.model.labeller.get('given')]
every_asd = pytest.mark.parametrize('name', ASD)
every_mapped = pytest.mark.parametrize('name', MAPPED)


def test_there_are_configs():
    data = ('cifar10', 'cifar20', 'stl10', 'imagenet10', 'imagenet_dogs')
    wanted = {f'{kind}_{learner}_r18_{name}' for kind in ('asd', 'asd_ps') for learner in ('freematch', 'mutexmatch')
              for name in data}
    wanted |= {f'{host}_asd_r18_{name}' for host in ('scan', 'spice') for name in data[:3]}
    wanted |= {f'asd_ps_mutexmatch_vit_{size}_{name}' for size in ('small', 'base') for name in data[:3]}
    wanted |= {'asd_freematch_wrn28_2_svhn', 'scan_asd_cnn_digits', 'spice_asd_cnn_digits'}
    assert {f'{name}/asd' for name in wanted} <= set(ASD)


@every_asd
def test_four_labelled_rows_a_cluster(name):
    cfg = ASD[name]
    labeller, streams = cfg.model.labeller, cfg.train_dataloader.sampler.streams
    clusters = clusters_of(cfg.model)
    assert clusters == dict(cifar20=20, dogs=15).get(last_word(name), 10)
    assert labeller.num_labelled == streams.labelled.size == streams.reference.size == 4 * clusters
    assert labeller.num_unlabelled == streams.unlabelled.size
    assert streams.reference.pool == 'anchor' and streams.reference.order == 'fixed'
    select = hook(cfg, 'SelectHook')
    prototypes, given = select is not None and select.field == 'prototypes', labeller.get('given')
    assert streams.labelled.get('pool', 'all') == ('prototypes' if prototypes else given or 'all')
    assert prototypes == ('prototypes' in cfg.model.bank.get('fields', {}))
    if prototypes:
        assert select.selector.per_cluster == 4
        kinds = [hook.type for hook in cfg.custom_hooks]
        assert kinds.index('SelectHook') < kinds.index('AnchorHook')
    assert cfg.get('find_unused_parameters', False) is (given is None), 'without a map there are no cluster losses'
    assert (hook(cfg, 'TeacherHook') is None) == ('vit' in name)


@pytest.mark.parametrize('name', [name for name in MAPPED if last_word(name) not in ('digits', 'mnist')])
def test_windows_of_the_paper(name):
    """N_b = N_t = 1000; SCAN's few iterations on STL-10 have room for less."""
    cfg = ASD[name]
    window, interval = cfg.model.labeller.get('window', 1000), hook(cfg, 'TransitionHook').interval
    assert (window, interval) == ((100, 50) if 'scan' in name and 'stl10' in name else (1000, 1000))


@every_mapped
def test_a_trained_head_names_the_first_map(name):
    """After a few passes over the data, as transitions need a second visit."""
    cfg, transitions = ASD[name], hook(ASD[name], 'TransitionHook')
    host = (cfg.model.get('base') or {}).get('type')
    trained = host is not None and host != 'MoCo' and not cfg.model.get('head')
    goes_on = 'init_cfg' in cfg.model       # with the transitions of an earlier stage
    assert (transitions.get('align_first') == 'head') is (trained or goes_on)
    assert not goes_on or transitions.first == 1
    sizes = dict(cifar10=50_000, cifar20=50_000, stl10=5_000, svhn=73_257, digits=1_797)
    if trained:
        rows = transitions.get('first', transitions.interval) * cfg.train_dataloader.sampler.streams.unlabelled.size
        assert rows / sizes[last_word(name)] >= 2.9


@pytest.mark.parametrize('name', [name for name in ASD if name.endswith('/asd') and 'asd_ps_clusmatch' not in name])
def test_figures_are_those_of_the_index(name):
    """The head of a file and the index say the same of the paper."""
    models = {model['Name']: model['Metadata'] for file in (ROOT / 'configs').glob('metafile_*.yml')
              for model in yaml.safe_load(file.read_text(encoding='utf-8'))['Models']}
    text, cfg = (CONFIGS / f'{name.split("/")[0]}.py').read_text(encoding='utf-8'), ASD[name]
    paper = models[name.split('/')[0]]
    line = next((line for line in text.splitlines() if line.startswith('# Paper')), '')
    numbers = re.findall(r'\d+\.\d', line.split(':', 1)[-1].split(' with ASD')[0].split(', SPICE')[0])
    assert numbers == re.findall(r'\d+\.\d', paper.get('Paper', ''))
    streams = cfg.train_dataloader.sampler.streams
    assert paper['Batch Size'] == streams.labelled.size + streams.unlabelled.size
    assert paper['Epochs'] == cfg.train_cfg.max_epochs


IMAGES = {'CIFAR-10': 50_000, 'CIFAR-100-20': 50_000, 'STL-10': 5_000, 'ImageNet-10': 13_000, 'ImageNet-Dogs': 19_500}


def last_stages(table, rows, columns):
    """(column, config of the last stage) of cells of a table."""
    for cell in read_table(table_file(table)).only(rows=rows, columns=columns).cells:
        job = plan(cell, 0, 'work').jobs[-1]
        yield cell.column, stage_config(Config(dict(job.recipe, work_dir='work'), filename=job.filename), job.stage, {})


@pytest.mark.parametrize('row, network', [('SCAN + ASD', 'GCCResNet'), ('RUC + ASD', 'GCCResNet'),
                                          ('SPICE + ASD', 'GCCResNet'), ('SPICE + ASD, ResNet-34', 'ResNet')])
def test_hosts_on_subsets_of_imagenet_have_maps_after_two_passes_and_before_the_end(row, network):
    for column, cfg in last_stages('asd/hosts', [row], ['ImageNet-10', 'ImageNet-Dogs']):
        unlabelled, transitions = cfg.train_dataloader.sampler.streams.unlabelled.size, hook(cfg, 'TransitionHook')
        length = cfg.train_dataloader.sampler.get('length') or IMAGES[column] // unlabelled
        assert cfg.model.labeller.num_labelled == 4 * (15 if 'Dogs' in column else 10)
        assert 2 <= transitions.first * unlabelled / IMAGES[column] <= 6
        assert transitions.first + 3 * transitions.interval < length * cfg.train_cfg.max_epochs
        assert cfg.model.base.backbone.type == network
        assert cfg.model.base.backbone.depth == (34 if 'ResNet-34' in row else 18)


@pytest.mark.parametrize('table, row, column, network', [
    ('asd/hosts', 'SPICE + ASD, ResNet-34', 'CIFAR-10', ('GCCResNet', 34)),
    ('asd/hosts', 'SPICE + ASD, ResNet-34', 'STL-10', ('GCCResNet', 34)),
    ('asd/main', 'ASD_PS, FreeMatch, ResNet-34', 'STL-10', ('GCCResNet', 34)),
    ('asd/learners', 'ASD, MutexMatch, no labels', 'CIFAR-10', ('WideResNet', 28)),
    ('asd/learners', 'ASD_PS, FreeMatch, no labels', 'STL-10', ('WideResNet', 37))])
def test_rows_with_the_networks_of_those_compared(table, row, column, network):
    (_, cfg), = last_stages(table, [row], [column])
    backbone = (cfg.model.get('base') or cfg.model).backbone
    assert (backbone.type, backbone.depth) == network and cfg.model.labeller.num_labelled == 40
