"""What a user can get wrong in a config or a path is an error that says what to do, before anything is lost."""
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from reduced import K, clusmatch_cfg, load, propos_cfg, train, write_base, write_digits, write_recipe

from mmcluster.engine.hooks import EStepHook
from mmcluster.evaluation import ClusteringMetric
from mmcluster.recipes.requirements import check_metrics
from mmcluster.registry import HOOKS

pytestmark = pytest.mark.usefixtures('engine')


def refused(cfg, error, message, **options):
    """The run raises, and leaves neither checkpoint nor result."""
    with pytest.raises(error, match=message):
        train(cfg, **options)
    left = {path.suffix for path in Path(cfg.work_dir).rglob('*') if path.is_file()}
    assert not left & {'.pth', '.csv'} and not (Path(cfg.work_dir) / 'last_checkpoint').exists()


# ---- sizes

@pytest.mark.parametrize('method', [propos_cfg, clusmatch_cfg])
def test_fewer_images_than_clusters(tmp_path, method):
    data = write_digits(tmp_path, num_rows=K - 1)
    options = dict(base=write_base(tmp_path / 'base.pth', data)) if method is clusmatch_cfg else {}
    cfg = method(tmp_path / 'work', data, **options)
    for stream in cfg.train_dataloader.sampler.streams.values():
        stream.size = 2
    refused(cfg, ValueError, 'the data set has 3 images, fewer than num_clusters=4; add images or lower num_clusters')


def test_as_many_images_as_clusters_is_enough(tmp_path):
    cfg = propos_cfg(tmp_path / 'work', write_digits(tmp_path, num_rows=K), epochs=1)
    cfg.train_dataloader.sampler.streams.batch.size = 2
    state = load(train(cfg)['train'])['state_dict']
    assert sorted(state['bank.label'].tolist()) == list(range(K))


@pytest.mark.parametrize('order', [dict(order='permute'), dict(order='replace', balance='label')])
def test_fewer_images_than_a_batch(tmp_path, order):
    cfg = propos_cfg(tmp_path / 'work', write_digits(tmp_path, num_rows=15), epochs=1)
    cfg.train_dataloader.sampler.streams = dict(batch=dict(size=20, **order))
    refused(cfg, ValueError, "batch larger than data set: N=15, size=20 of stream 'batch'; lower it")


def one_cluster_in(part):
    def change(cfg):
        if part == 'hook':
            cfg.custom_hooks[-1].num_clusters = 1
        elif part == 'metric':
            cfg.val_evaluator.num_clusters = 1
        else:
            cfg.model.num_clusters = 1
    return change


@pytest.mark.parametrize('part, message', [
    ('hook', 'KMeansHook: num_clusters must be at least 2, got 1'),
    ('metric', 'ClusteringMetric: num_clusters must be at least 2, got 1'),
    ('model', 'ProPos: num_clusters must be at least 2, got 1')])
def test_one_cluster(tmp_path, part, message):
    cfg = propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1)
    one_cluster_in(part)(cfg)
    refused(cfg, ValueError, message)


@pytest.mark.parametrize('part, message', [
    ('head', 'Boost: the head has num_clusters=1, ClusMatchLoss has num_clusters=4; give both one value'),
    ('loss', 'ClusMatchLoss: num_clusters must be at least 2, got 1'),
    ('selector', 'CentroidDistance: num_clusters must be at least 2, got 1')])
def test_one_cluster_in_clusmatch(tmp_path, part, message):
    data = write_digits(tmp_path)
    cfg = clusmatch_cfg(tmp_path / 'work', data, write_base(tmp_path / 'base.pth', data), epochs=1)
    place = dict(head=cfg.model.head, loss=cfg.model.pseudo_label_loss, selector=cfg.custom_hooks[0].selector)[part]
    place.num_clusters = 1
    refused(cfg, ValueError, message)


@pytest.mark.parametrize('number', [K - 1, K + 1])
def test_numbers_of_clusters_that_disagree(tmp_path, number):
    cfg = propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1)
    cfg.model.num_clusters = number
    refused(cfg, ValueError, f'KMeansHook has num_clusters=4, the model {number}; give both one value')


# ---- names

NAMES = dict(
    model=('model.type', 'Propos', 'MODELS', 'ProPos'),
    backbone=('model.backbone.type', 'SmalCNN', 'MODELS', 'SmallCNN'),
    hook=('custom_hooks.3.type', 'KMeanHook', 'HOOKS', 'KMeansHook'),
    default_hook=('default_hooks.pools.type', 'PoolsHook', 'HOOKS', 'PoolHook'),
    dataset=('train_dataloader.dataset.type', 'IndexDataset', 'DATASETS', 'IndexedDataset'),
    source=('train_dataloader.dataset.source.type', 'ArraySorce', 'DATASETS', 'ArraySource'),
    sampler=('train_dataloader.sampler.type', 'StreamsSampler', 'DATA_SAMPLERS', 'StreamSampler'),
    transform=('model.data_preprocessor.views.0.0.type', 'BatchAfine', 'TRANSFORMS', 'BatchAffine'),
    optimizer=('optim_wrapper.optimizer.type', 'SDG', 'OPTIMIZERS', 'SGD'),
    constructor=('optim_wrapper.constructor', 'GroupedOptimWrapper', 'OPTIM_WRAPPER_CONSTRUCTORS',
                 'GroupedOptimWrapperConstructor'),
    schedule=('param_scheduler.type', 'WarmUpCosine', 'PARAM_SCHEDULERS', 'WarmupCosineLR'),
    metric=('val_evaluator.type', 'ClusterMetric', 'METRICS', 'ClusteringMetric'))


@pytest.mark.parametrize('part', NAMES)
def test_an_unknown_name_lists_near_ones(tmp_path, part):
    place, given, registry, near = NAMES[part]
    cfg = propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1)
    owner, *path = cfg._cfg_dict, *place.split('.')
    for key in path[:-1]:
        owner = owner[int(key) if isinstance(owner, list) else key]
    owner[path[-1]] = given
    refused(cfg, KeyError, f"'{given}' is not in mmcluster.registry.{registry}(.|\n)*Near names: .*{near}")


@pytest.mark.parametrize('place, given, registry, near', [
    ('selector', 'CentreDistance', 'LABEL_SELECTORS', 'CentroidDistance'),
    ('labeller', 'SelectLabels', 'MODELS', 'SelectedLabels'),
    ('loss', 'ClusMatch', 'MODELS', 'ClusMatchLoss'), ('head', 'LinearHead', 'MODELS', 'LinearClusterHead')])
def test_an_unknown_name_in_clusmatch(tmp_path, place, given, registry, near):
    data = write_digits(tmp_path)
    cfg = clusmatch_cfg(tmp_path / 'work', data, write_base(tmp_path / 'base.pth', data), epochs=1)
    dict(selector=cfg.custom_hooks[0].selector, labeller=cfg.model.labeller, loss=cfg.model.pseudo_label_loss,
         head=cfg.model.head)[place].type = given
    refused(cfg, KeyError, f"'{given}' is not in mmcluster.registry.{registry}(.|\n)*Near names: .*{near}")


# ---- foreign checkpoints

@pytest.fixture(scope='module')
def runs(tmp_path_factory):
    """Checkpoints of one epoch of both methods, and the data."""
    folder = tmp_path_factory.mktemp('runs')
    data = write_digits(folder)
    propos = train(propos_cfg(folder / 'propos', data, epochs=1))['train']
    clusmatch = train(clusmatch_cfg(folder / 'clusmatch', data, propos, epochs=1))['train']
    return dict(propos=propos, clusmatch=clusmatch, data=data)


def other_pixels(folder, data):
    """The same number of images, one of which differs in one pixel."""
    images = np.load(data['array'])
    images[5, 3, 3] ^= 1
    folder.mkdir()
    np.save(folder / 'images.npy', images)
    return dict(data, array=str(folder / 'images.npy'))


@pytest.mark.parametrize('how', ['resume', 'load_from'])
@pytest.mark.parametrize('method', ['propos', 'clusmatch'])
@pytest.mark.parametrize('other, message', [
    ('size', r'misshapen:.* bank\.label \(60,\) instead of \(50,\)\nUse the config .*data set'),
    ('pixels', r'belongs to another data set \(fingerprint \d+, this data set has \d+\)')])
def test_a_checkpoint_of_other_data(tmp_path, runs, how, method, other, message):
    data = write_digits(tmp_path / 'data', num_rows=50) if other == 'size' else other_pixels(tmp_path / 'data',
                                                                                             runs['data'])
    cfg = dict(propos=propos_cfg, clusmatch=clusmatch_cfg)[method](tmp_path / 'work', data, epochs=2)
    if method == 'clusmatch':
        cfg.model.base.init_cfg.checkpoint = runs['propos']
    options = dict(resume=runs[method], allow_config_change=True)
    if how == 'load_from':
        cfg.load_from, options = runs[method], {}
    refused(cfg, ValueError, message, **options)


@pytest.mark.parametrize('how', ['resume', 'load_from'])
def test_a_checkpoint_of_another_number_of_clusters(tmp_path, runs, how):
    cfg = clusmatch_cfg(tmp_path / 'work', runs['data'], runs['propos'], epochs=2)
    for part in (cfg.model.head, cfg.model.pseudo_label_loss, *cfg.custom_hooks[:2]):
        (part.selector if 'selector' in part else part).num_clusters = K + 1
    options = dict(resume=runs['clusmatch'], allow_config_change=True)
    if how == 'load_from':
        cfg.load_from, options = runs['clusmatch'], {}
    refused(cfg, ValueError, r'does not fit the model(.|\n)*head.fc.weight \(4, 8\) instead of \(5, 8\)', **options)


def test_a_named_checkpoint_of_another_config(tmp_path, runs):
    """ProPos has no weight whose shape shows K; the config beside the checkpoint does."""
    cfg = propos_cfg(tmp_path / 'work', runs['data'], epochs=1)
    cfg.model.num_clusters = cfg.custom_hooks[-1].num_clusters = K - 1
    refused(cfg, ValueError, r'model\.num_clusters: 4 -> 3(.|\n)*--allow-config-change', resume=runs['propos'])


# ---- the base of a booster

def edited(path, target, edit):
    form = torch.load(path, weights_only=True)
    edit(form['state_dict'])
    torch.save(form, target)
    return str(target)


EDITS = dict(
    missing=(lambda state: state.pop('teacher.neck.fc2.weight'), r'1 missing: teacher\.neck\.fc2\.weight'),
    foreign=(lambda state: state.update({'head.weight': torch.ones(2)}), r'1 unexpected: head\.weight'),
    shape=(lambda state: state.update({'predictor.fc1.weight': torch.ones(3, 8)}),
           r'1 misshapen: predictor\.fc1\.weight \(3, 8\) instead of \(16, 8\)'))


@pytest.mark.parametrize('through', ['config', 'recipe'])
@pytest.mark.parametrize('kind', EDITS)
def test_a_base_that_does_not_fit(tmp_path, runs, kind, through):
    base = edited(runs['propos'], tmp_path / 'base.pth', EDITS[kind][0])
    cfg = clusmatch_cfg(tmp_path / 'work', runs['data'], base, epochs=1)
    if through == 'recipe':
        cfg.model.base.init_cfg.checkpoint = '{propos}'
        cfg = write_recipe(tmp_path, dict(clusmatch=cfg))
        cfg.stages = dict(propos=dict(checkpoint=base), clusmatch=cfg.stages.clusmatch)
    refused(cfg, ValueError, rf'base\.pth does not fit ProPos(.|\n)*{EDITS[kind][1]}(.|\n)*Use the config')


def test_an_open_placeholder(tmp_path):
    cfg = clusmatch_cfg(tmp_path / 'work', write_digits(tmp_path))
    message = r'model\.base\.init_cfg\.checkpoint=\{propos\}.*Run the recipe.*--cfg-options'
    refused(cfg, ValueError, message)
    recipe = write_recipe(tmp_path, dict(pretraining=propos_cfg('', write_digits(tmp_path), epochs=1), clusmatch=cfg))
    with pytest.raises(ValueError, match=message):
        train(recipe)
    recipe.stages.pretraining.checkpoint = str(tmp_path / 'gone.pth')
    with pytest.raises(FileNotFoundError, match=r'stages\.pretraining\.checkpoint: no file .*gone\.pth'):
        train(recipe)


# ---- labels that the loss needs

def boosted(tmp_path, change):
    """The config of a booster on a ProPos, changed."""
    data = write_digits(tmp_path)
    cfg = clusmatch_cfg(tmp_path / 'work', data, base=write_base(tmp_path / 'base.pth', data), epochs=1)
    change(cfg)
    return cfg


@pytest.mark.parametrize('change, message', [
    (lambda hooks: hooks.pop(1), r'kpl_weight is not 0 from epoch 0 on, and the KMeansHook .* bank.label is missing'),
    (lambda hooks: hooks[1].pop('align_to'), "takes bank.label for classes of the head.*align_to='target'"),
    (lambda hooks: hooks[0].selector.update(num_clusters=K + 1), f'num_clusters={K + 1}, the model {K}')])
def test_labels_that_are_no_classes_of_the_head(tmp_path, change, message):
    refused(boosted(tmp_path, lambda cfg: change(cfg.custom_hooks)), ValueError, message)


@HOOKS.register_module(force=True)
class FirstPixelHook(EStepHook):
    """An E-step of a user's own."""

    def estimate(self, runner, features):
        return {self.field: torch.arange(len(features)) % K}


def test_labels_of_another_estep_are_welcome(tmp_path):
    def change(cfg):
        cfg.custom_hooks[1:2] = [dict(type='FirstPixelHook', field='label')]

    state = load(train(boosted(tmp_path, change))['train'])['state_dict']
    assert (state['bank.label'] >= 0).all()


def test_a_loss_without_kmeans_labels_needs_no_hook(tmp_path):
    def change(cfg):
        cfg.model.pseudo_label_loss.kpl_weight = 0.
        cfg.custom_hooks.pop(1)

    train(boosted(tmp_path, change))


def test_kmeans_labels_that_nothing_reads(tmp_path):
    cfg = boosted(tmp_path, lambda cfg: setattr(cfg.model, 'pseudo_label_loss',
                                                dict(type='FixMatchLoss', num_clusters=K)))
    refused(cfg, KeyError, "no field 'label'; .*drop the hook that fills it")


@pytest.mark.parametrize('assignment, message', [
    ('hard', r"psl_weight is not 0 from epoch . on, and .* bank.label is missing.*field='label'"),
    ('soft', r'psl_weight .* bank.posterior is missing.*posterior_temperature')])
def test_propos_without_an_estep_is_not_propos(tmp_path, assignment, message):
    cfg = propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=4)
    cfg.model.assignment = assignment
    cfg.train_dataloader.sampler.streams.batch = dict(size=20)
    cfg.custom_hooks = [hook for hook in cfg.custom_hooks if hook.type != 'KMeansHook']
    refused(cfg, ValueError, message)


def test_a_stream_that_the_model_does_not_know(tmp_path):
    cfg = propos_cfg(tmp_path / 'work', write_digits(tmp_path))
    cfg.train_dataloader.sampler.streams.batc = dict(size=4)
    refused(cfg, ValueError, r"ProPos has no stream 'batc'; its streams are \['batch'\]")


@pytest.mark.parametrize('clusters', [K, K + 1])
def test_another_number_of_clusters_in_the_metric_is_named(clusters):
    said = []
    evaluator = SimpleNamespace(metrics=[ClusteringMetric(num_clusters=clusters),
                                         ClusteringMetric(source='head', num_clusters=12)])
    check_metrics(SimpleNamespace(
        model=SimpleNamespace(num_clusters=K), val_loop=SimpleNamespace(evaluator=evaluator),
        logger=SimpleNamespace(warning=said.append)))
    assert len(said) == (clusters != K)
    assert all(f'forms {clusters} clusters by k-means, and the model has {K}; give' in text for text in said)
