"""Every config without stages, and every part of recipes, trains a step on tiny data in its own layout."""
import gc
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from PIL import Image
from reduced import CONFIGS, clusters_of, forget, read_stage, stage_keys
from scipy.io import savemat

from mmcluster.datasets.class_lists import CLASS_LISTS
from mmcluster.engine.launch import prepare
from mmcluster.recipes import PartReader, recipe
from mmcluster.registry import HOOKS
from mmcluster.structures import Key

SINGLES = [key for key in stage_keys() if '/' not in key]
LAYOUTS = dict(CIFAR10Source='cifar10', CIFAR100Source='cifar100', ClassFolderSource='classes', FolderSource='folder',
               STL10Source='stl10', SVHNSource='svhn', TinyImageNetSource='tiny')
STILL = ('torchvision/Resize', 'torchvision/CenterCrop', 'BatchResize', 'BatchCenterCrop')    # draw nothing
WIDTHS = {'deit-small': 384, 'deit-base': 768}


def composed():
    """Stages of recipes that have a part which none before them has: every part is trained once."""
    found, seen = [], set()
    for key in stage_keys():
        name, _, stage = key.partition('/')
        if stage:
            cfg = Config.fromfile(CONFIGS / f'{name}.py', lazy_import=False)
            parts = names_of({'data': cfg.get('data'), **cfg.stages[stage]})
            found += [key] if parts - seen and read_stage(key).train_cfg.type != 'EStepLoop' else []
            seen |= parts
    return found


def names_of(part):
    """Names of all parts that a part or a stage stands on."""
    named = [*filter(None, [part.get('data')]), *part.get('parts', ())]
    return set(named).union(*(names_of(PartReader(CONFIGS).read(name)) for name in named))


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Roots of 24 to 210 images in each layout."""
    rng, root = np.random.default_rng(0), tmp_path_factory.mktemp('data')

    def records(labels):
        return np.concatenate([np.array(labels, np.uint8).reshape(len(labels), -1),
                               rng.integers(0, 256, (len(labels), 3072), np.uint8)], 1).tobytes()

    def jpeg(path, size):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(path, quality=90)

    for folder in ('cifar10/cifar-10-batches-bin', 'cifar100/cifar-100-binary'):
        (root / folder).mkdir(parents=True)
    for name in [f'data_batch_{i}' for i in range(1, 6)] + ['test_batch']:
        (root / 'cifar10/cifar-10-batches-bin' / f'{name}.bin').write_bytes(records(range(10)))
    for name in ('train', 'test'):
        labels = [(i % 20, 5 * i % 100) for i in range(40)]
        (root / 'cifar100/cifar-100-binary' / f'{name}.bin').write_bytes(records(labels))
    for i in range(42):         # not fewer than clusters
        jpeg(root / 'classes' / f'n{i // 2:02d}' / f'{i}.jpg', (40 + i, 60 - i))
        jpeg(root / 'folder' / f'{i % 3}' / f'{i}.jpg', (80, 70 + i))
    (root / 'stl10').mkdir()
    for name, count in dict(train=40, test=40, unlabeled=10).items():
        (root / 'stl10' / f'{name}_X.bin').write_bytes(rng.bytes(count * 3 * 96 * 96))
        (root / 'stl10' / f'{name}_y.bin').write_bytes(bytes(i % 10 + 1 for i in range(count)))
    (root / 'svhn').mkdir()
    for name in ('train', 'test'):
        savemat(root / 'svhn' / f'{name}_32x32.mat', dict(
            X=rng.integers(0, 256, (32, 32, 3, 40), np.uint8), y=np.arange(40) % 10 + 1))
    for i in range(210):        # not fewer than clusters
        jpeg(root / 'tiny' / 'train' / f'n{i % 7}' / 'images' / f'{i}.JPEG', (64, 64))
    for folder in sorted({folder for classes in CLASS_LISTS.values() for folder in classes}):
        for i in range(3):
            jpeg(root / 'imagenet' / folder / f'{i}.JPEG', (60 + i, 70 - i))
    return {path.name: str(path) for path in root.iterdir()}


def relocate(source, data):
    """Point a source to the data of its layout."""
    if source.type == 'ImbalancedSource':
        relocate(source.source, data)
    elif source.type == 'ClassFolderSource' and isinstance(source.get('classes'), str):
        source.root = data['imagenet']
    else:
        source.root = data[LAYOUTS[source.type]]
        if source.get('splits'):
            source.splits = None


class Stopped(Exception):
    """Raised after the first step."""


@HOOKS.register_module(force=True)
class StopHook(Hook):
    """Ends a run after its first optimiser step and keeps what the step returned."""

    priority = 'LOWEST'
    losses: dict = {}
    before: dict = {}

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        StopHook.before = {name: param.clone() for name, param in runner.model.named_parameters() if param.ndim > 1}

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        StopHook.losses = outputs
        raise Stopped


def shrink(value):
    """Smaller batches, images of worker pipelines and shares that suit a few images; nothing else, in place."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(items):
        if key in ('num_workers', 'persistent_workers'):
            value[key] = 0
        elif key == 'sigma' and value.get('type') in ('CentroidDistance', 'ProbabilityVariance', 'RandomRows'):
            value[key] = 1.
        elif key == 'size' and item in (96, 224):
            value[key] = 32
        elif key == 'num_clusters' and item == 1000:      # more than there are images
            value[key] = 10
        elif key == 'selector' and item.type == 'LocalConsistency':
            item.update(k=2, ratio=0., threshold=0.)
        elif key == 'selector' and item.type == 'HybridClean':
            item.update(k=2, threshold=0.)
        elif key == 'per_class' and value.get('type') == 'GroundTruthHook':
            value[key] = 2
        elif key == 'accumulative_counts':
            value[key] = 1      # the one step is to move the weights
        elif key == 'granularities':
            value[key] = [2, 3]
        elif key in ('queue_size', 'num_rows', 'num_neighbors'):
            value[key] = 12
        elif key == 'arch' and isinstance(item, str) and item in WIDTHS:
            value[key] = dict(embed_dims=WIDTHS[item], num_layers=1, num_heads=6, feedforward_channels=64)
        elif key == 'img_size' and item == 224:
            value[key] = 32
        elif key == 'decoder_depth':
            value[key] = 1
        elif key == 'streams':
            for stream in item.values():
                stream.size = 6
        elif key == 'selector' and item.type == 'AccompaniedPrototypes':
            item.per_cluster = 1
        elif key == 'pipelines':
            resize(item)
        else:
            shrink(item)


def forget_stages(value):
    """Networks of earlier stages, and of files, keep their random weights, in place."""
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        forget_stages(item)
    init_cfg = value.get('init_cfg') if isinstance(value, dict) else None
    if isinstance(init_cfg, dict) and init_cfg.get('type') == 'Pretrained':
        value.pop('init_cfg')


def resize(value):
    """224 -> 32 pixels, one number or two; views may share a transform."""
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, (dict, list)):
            resize(item)
    if isinstance(value, dict) and value.get('size') in (224, (224, 224)):
        value['size'] = 32 if value['size'] == 224 else (32, 32)
    if isinstance(value, dict) and value.get('size') == 256:
        value['size'] = 36


@pytest.fixture(scope='module', params=[*SINGLES, *composed()])
def stepped(request, data, tmp_path_factory):
    """The Runner of a config after one step."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    forget()
    init_default_scope('mmcluster')
    cfg = read_stage(request.param)
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        source = cfg[name].dataset.source
        if source.type == 'DigitsSource':
            cfg[name].dataset.indices = list(range(30))
        else:
            relocate(source, data)
        folders = source.type == 'ClassFolderSource' and not cfg[name].dataset.get('pipelines')
        if source.type == 'STL10Source' or folders:
            cfg[name].dataset.size = 28 if source.get('mode') == 'L' else 32    # layers of pixels have one size
    forget_stages(cfg._cfg_dict)
    shrink(cfg._cfg_dict)
    if cfg.model.type == 'SPICE':     # two rows a cluster are the fewest
        cfg.model.batch_size = 6
        cfg.train_dataloader.sampler.streams.batch.size = 2 * clusters_of(cfg.model)
    if cfg.model.get('labeller', {}).get('type') == 'ASDLabels':     # and one a cluster
        clusters, streams = clusters_of(cfg.model), cfg.train_dataloader.sampler.streams
        streams.labelled.size = streams.reference.size = cfg.model.labeller.num_labelled = clusters
    if (cfg.get('param_scheduler') or {}).get('type') == 'FixMatchCosineLR':     # whose warm-up begins with a rate of 0
        cfg.param_scheduler.warmup_epochs = 0
    cfg.setdefault('custom_hooks', [])
    cfg.custom_hooks.append(dict(type='StopHook'))
    cfg.merge_from_dict(dict(work_dir=str(tmp_path_factory.mktemp('work')), log_level='ERROR'))
    recipe.bind_data(cfg)
    runner = recipe.build_runner(prepare(cfg))
    with pytest.raises(Stopped):
        runner.train()
    yield SimpleNamespace(runner=runner, cfg=cfg, losses=StopHook.losses, before=StopHook.before,
                          single=read_stage(request.param))
    recipe.close(runner)
    forget()
    del runner
    gc.collect()     # a Runner is a circle: without this a hundred networks wait in memory, 5 GB of them
    torch.set_num_threads(threads)


def test_one_step(stepped):
    model = stepped.runner.model
    losses = {key: value for key, value in stepped.losses.items() if 'loss' in key}
    assert len(losses) >= 2 and all(torch.isfinite(value) for value in losses.values())
    known = dict(model.named_parameters())
    moved = {name.split('.')[0] for name in stepped.before if not torch.equal(known[name], stepped.before[name])}
    unmapped = getattr(getattr(model, 'labeller', None), 'mapped', None) is False
    waiting = {'head', 'pseudo_label_loss'} if unmapped else set()
    waiting |= {'twin'}     # whose turn is the second epoch
    if 'loss_instance' in losses and 'loss_cluster' not in losses:   # CC begins with images that have no cluster
        waiting |= {'head'}
    if 'loss_features' in losses and 'loss_assignments' not in losses:      # GCC begins without a graph
        waiting |= {'head'}
    if hasattr(model, 'keep_centers'):      # SeCu begins with an epoch of centres alone
        waiting |= {'backbone', 'neck', 'predictor'}
    if getattr(model, 'picd', None) == 0.:      # PICI begins with reconstruction
        waiting |= {'head', 'projector'}
    trained = {name.split('.')[0] for name in stepped.before if known[name].requires_grad} - waiting
    assert moved and moved >= trained
    if model.bank is not None:
        known = {'label', 'target', 'feat', 'neighbors', 'anchor', 'memory', 'seen', 'head_label'}
        filled = known & set(model.bank.fills)
        later = {'view_label', 'granular', *['label'] * (getattr(model, 'boosting', None) == 0.)}   # some begin without
        filled -= later | ({'neighbors'} if 'memory' in filled else set())      # GCC begins without a graph
        assert (filled or not set(model.bank.fills) - later) and all(model.bank.is_set(name) for name in filled)
        assert model.bank.num_samples == len(stepped.runner.train_dataloader.dataset)
    assert stepped.runner.max_epochs == stepped.single.train_cfg.max_epochs, 'the schedule was left alone'


def num_views(model, stream):
    """RUC has four of the rows that may be clean, TCL one without augmentation beside its two, others one."""
    given = dict(TCL=3, IDFD=1, Autoencoder=1, DEC=1, IDEC=1, TURTLE=1)
    if model.type in given:
        return given[model.type]
    if model.type == 'RUC' and stream == ('labelled' if model.get('labeller') else 'unlabelled'):
        return 4
    return 2 if stream in ('batch', 'instance_only', 'unlabelled') else 1


def test_fifty_draws(stepped):
    model, dataset = stepped.runner.model, stepped.runner.train_dataloader.dataset
    for stream in stepped.cfg.train_dataloader.sampler.streams:
        keys = [Key(0, stream, draw) for draw in range(50)]
        views = model.data_preprocessor(dataset[keys], True)['data_samples'][stream].views
        assert len(views) == num_views(stepped.cfg.model, stream)
        size, recipes = views[0].shape[-1], model.data_preprocessor.views
        recipes = recipes.get(stream) if isinstance(recipes, dict) else recipes
        in_workers = stepped.cfg.train_dataloader.dataset.get('pipelines') or {}
        for view, recipe_ in zip(views, recipes or in_workers.get(stream) or in_workers['batch']):
            assert view.shape[0] == 50 and view.shape[-2:] == (size, size) and view.isfinite().all()
            still = all(getattr(step, 'type', type(step).__name__) in STILL for step in recipe_)
            assert len(torch.unique(view.flatten(1), dim=0)) > 5 or still
        again = model.data_preprocessor(dataset[keys], True)['data_samples'][stream].views
        assert all(torch.equal(a, b) for a, b in zip(views, again))


def test_the_evaluation_view_is_one(stepped):
    dataset = stepped.runner.val_dataloader.dataset
    batches = [stepped.runner.model.data_preprocessor(dataset[[Key(3, 'test', draw)]], False) for draw in (0, 1)]
    views = [batch['data_samples']['test'].views for batch in batches]
    assert len(views[0]) == 1 and torch.equal(views[0][0], views[1][0])
