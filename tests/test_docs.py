"""The pages agree with the configs and the code, and what they call runnable runs."""
import json
import re
import shlex
import sys

import pytest
from mmengine.config import Config
from reduced import CONFIGS, ROOT, load, read_stage, stage_keys, train

from mmcluster.cli.main import COMMANDS, parser
from mmcluster.recipes import stages
from mmcluster.recipes.listings import stale
from mmcluster.registry import HOOKS, LABEL_SELECTORS, METRICS, MODELS

pytestmark = pytest.mark.usefixtures('engine')
DOCS = ROOT / 'docs' / 'en'
PAGES = [ROOT / 'README.md', CONFIGS / 'README.md', *sorted(DOCS.rglob('*.md'))]
STEMS = sorted(path.stem for path in CONFIGS.glob('*.py'))
every_page = pytest.mark.parametrize('page', PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def read(name, stage=None):
    """A config, or a stage of a recipe: the last one if none is named."""
    cfg = Config.fromfile(CONFIGS / f'{name}.py', lazy_import=False)
    return read_stage(f'{name}/{stage or list(cfg.stages)[-1]}') if 'stages' in cfg else cfg


# ---- lists

def test_the_index_names_every_page_once():
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob('*.md')} - {'index.md'}
    text = (DOCS / 'index.md').read_text(encoding='utf-8')
    named = re.findall(r'\]\(([\w/]+\.md)\)', text)
    titles = re.findall(r'^\| \[(.+?)\]', text, flags=re.M)
    assert sorted(named) == sorted(pages) and len(set(titles)) == len(titles)


def test_what_is_generated_is_what_the_recipes_say():
    assert stale(CONFIGS) == {}, 'run python tools/configs.py check'


# ---- data

def test_the_front_page_says_where_the_data_of_its_commands_lie(monkeypatch):
    """The folder of each recipe that ``README.md`` names stands on it as a whole word."""
    monkeypatch.setenv('IMAGES', 'path/to/images')
    text = PAGES[0].read_text(encoding='utf-8')
    words = set(re.findall(r'[\w./-]+', text))
    named = [key for name in set(re.findall(r'configs/(\w+)\.py', text)) for key in stage_keys(name)]
    sources = {key: read_stage(key).train_dataloader.dataset.source for key in named}
    roots = {key: source.get('root', source.get('source', {}).get('root')) for key, source in sources.items()}
    assert len(named) > 10 and 'path/to/images' in roots.values()
    assert {key: root for key, root in roots.items() if root is not None and root not in words} == {}


# ---- commands

def commands(page):
    """Arguments of ``mmcluster`` in the blocks of a page, as of the tools that are its commands."""
    for block in re.findall(r'```(?:bash|console)\n(.*?)```', page.read_text(encoding='utf-8'), flags=re.S):
        for line in block.replace('\\\n', ' ').splitlines():
            words = shlex.split(line.partition(' | ')[0].partition(' > ')[0], comments=True)
            tool = next((re.fullmatch(r'tools/(\w+)\.py', word) for word in words if word.startswith('tools/')), None)
            if 'mmcluster' in words[:3] and words[-1] != 'mmcluster':
                yield words[words.index('mmcluster') + 1:]
            elif tool and tool[1] in COMMANDS and 'python' in words:
                yield [tool[1], *words[words.index(tool[0]) + 1:]]


def test_the_commands_of_the_pages_are_understood(capsys, tmp_path, monkeypatch):
    """Each is parsed, options and positional arguments in the order in which the page has them."""
    monkeypatch.chdir(tmp_path)     # folders of results are made
    found, wrong = 0, []
    for page in PAGES:
        for words in commands(page):
            found += 1
            try:
                args, unknown = parser().parse_known_args(words)
            except SystemExit as end:
                unknown = [end.code] if end.code else []
            wrong += [(page.name, *words, capsys.readouterr().err.splitlines()[-1:])] if unknown else []
    assert found > 40 and wrong == []


# ---- checkpoints and result files

@every_page
def test_checkpoints_are_those_that_a_config_leaves(page):
    """The last one: ``work_dirs/<config>[/<stage>]/epoch_<n>.pth``, or in a folder of a run whose config is named."""
    text = page.read_text(encoding='utf-8')
    for match in re.finditer(r'(\S+)/epoch_(\d+)\.pth', text):
        parts = match[1].split('/')
        names = [part for part in parts if part in STEMS] or re.findall(r'configs/(\w+)\.py', text[:match.start()])
        cfg = read(names[-1], parts[-1] if parts[-1] != names[-1] else None)
        assert cfg.train_cfg.max_epochs == int(match[2]), match[0]


def first_source(cfg):
    """Which clusters ``assignments.csv`` has."""
    evaluator = cfg.val_evaluator
    return (evaluator[0] if isinstance(evaluator, (list, tuple)) else evaluator).source


FIRST = dict(ProPos='kmeans', BYOL='kmeans', MoCo='kmeans', SimCLR='kmeans', SimSiam='kmeans', SPICE='kmeans',
             SCAN='head', CC='head', GCC='head', PICI='head', RUC='head', TCL='head', Autoencoder='kmeans', DEC='head',
             IDEC='head', IDFD='kmeans', TEMI='head', TURTLE='head', SeCu='head', PCL='kmeans', BYOLPCL='kmeans', BYOLCC='kmeans',
             CCPSL='head', ClassicalClusterer='head')


@pytest.mark.parametrize('name', stage_keys())
def test_the_first_metric_is_the_one_that_get_started_names(name):
    cfg = read_stage(name)
    kind, hooks = cfg.model.type, [hook.type for hook in cfg.get('custom_hooks', [])]
    loss = cfg.model.get('pseudo_label_loss', {}).get('type')
    if kind in FIRST:
        assert first_source(cfg) == ('kmeans' if name.endswith('/pretext') else FIRST[kind])
    elif loss == 'ClusMatchLoss' or (name.startswith('spice') and not name.endswith('/asd')):
        assert first_source(cfg) == 'kmeans'
    elif 'GroundTruthHook' in hooks or loss == 'ConfidenceLoss' or 'pici' in name:
        assert first_source(cfg) == 'head'
    else:
        assert 'asd' in name or name.startswith('cc_fixmatch')


# ---- what runs as it stands

def blocks(page):
    """(what stands before it, code) of every block of Python in a page."""
    text = (DOCS / page).read_text(encoding='utf-8')
    parts = re.split(r'^```(\w*)\n(.*?)^```$', text, flags=re.M | re.S)
    return [(before, code) for before, kind, code in zip(parts[::3], parts[1::3], parts[2::3]) if kind == 'python']


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The folder ``my_project`` as the page builds it; its classes are forgotten afterwards."""
    for before, code in blocks('add_a_method.md'):
        named = re.search(r'`my_project/(\S+)`\n\n$', before)
        if named:
            path = tmp_path / named[1]
            path.parent.mkdir(exist_ok=True)
            path.write_text(code.replace('/path/to/mmcluster', ROOT.as_posix()))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for registry in (HOOKS, LABEL_SELECTORS, METRICS, MODELS):
        for part, kind in list(registry.module_dict.items()):
            if kind.__module__.startswith('my_clustering'):
                registry.module_dict.pop(part)
    for module in [module for module in sys.modules if module.split('.')[0] == 'my_clustering']:
        sys.modules.pop(module)


def test_the_page_shows_every_file(project):
    text = (DOCS / 'add_a_method.md').read_text(encoding='utf-8')
    tree = re.search(r'^```\nmy_project/\n(.*?)^```$', text, flags=re.M | re.S)[1]
    files = {path.name for path in project.rglob('*.py')}
    assert files == set(re.findall(r'\w+\.py', tree)) and len(files) == 11


def test_the_parts_of_the_page_train(project):
    cfg = Config.fromfile(project / 'recipe.py', lazy_import=False)
    cfg.work_dir = str(project / 'work')
    cfg.stages.propos.facts = dict(epochs=1)
    cfg.stages.boost.facts = dict(epochs=2, length=4)
    cfg.stages.boost.options.hooks.vote.threshold = 0.11       # a network that knows nothing yet
    trained = train(cfg)
    first, second = (load(trained[name])['state_dict'] for name in ('propos', 'boost'))
    assert any(not first[name].equal(second[name]) for name in first if name.startswith('backbone.')), 'rests no more'
    assert (second['bank.vote'] >= 0).any() and 0 < second['pseudo_label_loss.threshold'] < 1
    log = [json.loads(line) for path in (project / 'work' / 'boost').rglob('scalars.json')
           for line in path.read_text().splitlines()]
    assert any('corrected_share' in line for line in log)
    summary = json.loads((project / 'work' / 'boost' / 'summary.json').read_text())
    assert 0.1 <= summary['metrics']['head/confidence'] <= 1


def test_the_labeller_of_the_page_needs_its_hooks(project):
    cfg = Config.fromfile(project / 'recipe.py', lazy_import=False)
    cfg.work_dir = str(project / 'work')
    cfg.stages.propos.facts = dict(epochs=1)
    cfg.stages.boost.options.hooks.pop('vote')
    with pytest.raises(ValueError, match="Boost needs dict\\(type='VoteHook'\\) in custom_hooks"):
        train(cfg)


def test_the_clusterer_of_the_page_trains(project):
    cfg = Config.fromfile(project / 'prototype_pull_digits.py', lazy_import=False)
    cfg.merge_from_dict(dict(work_dir=str(project / 'work'), facts=dict(epochs=1)))
    train(cfg)
    assert json.loads((project / 'work' / 'pull' / 'summary.json').read_text())['metrics']['kmeans/acc'] > 0.2


def swapped(tmp_path):
    """The recipe of the page about losses: its second stage on features that know nothing, a few steps."""
    code = next(code for _, code in blocks('methods/semi_supervised.md') if 'boosters/boost' in code)
    path = tmp_path / 'swapped.py'
    path.write_text(code)
    cfg = stages.read_stage(path, 'freematch')
    cfg.merge_from_dict(dict(
        work_dir=str(tmp_path / 'work'), train_cfg=dict(max_epochs=1), train_dataloader=dict(sampler=dict(length=2)),
        model=dict(base=dict(init_cfg=None))))
    return cfg


def test_a_swap_from_and_to_the_loss_of_clusmatch(tmp_path):
    cfg = swapped(tmp_path)
    assert cfg.model.pseudo_label_loss.type == 'FreeMatchLoss'
    train(cfg, overwrite=True)
    cfg.model.pseudo_label_loss = dict(type='ClusMatchLoss', num_clusters=10, kpl_weight=0.)
    train(cfg, overwrite=True)
    cfg.model.pseudo_label_loss.pop('kpl_weight')
    with pytest.raises(ValueError, match='KMeansHook'):
        train(cfg, overwrite=True)
    cfg.custom_hooks.insert(1, dict(type='KMeansHook', num_clusters=10, align_to='target'))
    train(cfg, overwrite=True)
    cfg.custom_hooks[1]['align_to'] = 'head'
    with pytest.raises(ValueError, match="if the head is trained, align_to='head'; it is new here"):
        train(cfg, overwrite=True)


def test_a_swap_that_leaves_the_k_means_hook_says_what_is_missing(tmp_path):
    cfg = swapped(tmp_path)
    cfg.custom_hooks.insert(1, dict(type='KMeansHook', num_clusters=10, align_to='target'))
    with pytest.raises(Exception, match='label'):
        train(cfg)
