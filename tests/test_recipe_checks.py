"""What a recipe or a command line misspells is refused before the first stage trains."""
import copy
import runpy
import sys
from pathlib import Path

import pytest
from mmengine.config import Config
from reduced import CONFIGS, ROOT, clusmatch_cfg, propos_cfg, read_stage, train, write_base, write_digits, write_recipe

from mmcluster.recipes import option_names, recipe
from mmcluster.recipes.stages import check_stages, stage_config

pytestmark = pytest.mark.usefixtures('engine')


def check_names(cfg, names):
    option_names.check_names(cfg, names if isinstance(names, dict) else dict.fromkeys(names, 1))


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    """A recipe of two stages whose files are written, and a base that may take the first one's place."""
    folder = tmp_path_factory.mktemp('recipe')
    data = write_digits(folder)
    cfg = write_recipe(folder, dict(propos=propos_cfg('', data, epochs=1), clusmatch=clusmatch_cfg('', data, epochs=1)))
    return cfg, write_base(folder / 'base.pth', data)


@pytest.fixture
def two_stages(written, tmp_path):
    cfg = copy.deepcopy(written[0])
    cfg.work_dir = str(tmp_path / 'work')
    return cfg


def refused(cfg, error, message, **options):
    """The recipe raises before it has made a folder."""
    with pytest.raises(error, match=message):
        train(cfg, **options)
    assert not Path(cfg.work_dir).exists()


@pytest.mark.parametrize('key, value, message', [
    ('clusmatch.optim_wrapper.optimizer.lr', 9., r'stages\.clusmatch\.optim_wrapper: a stage has only parts, on, data, '
     r'facts, config, options, checkpoint\. Settings go under stages\.clusmatch\.options, e\.g\. stages\.clusmatch\.options\.optim_wrapper'),
    ('clusmatch.option.train_cfg.max_epochs', 3, r"stages\.clusmatch\.option: .*did you mean 'options'\?"),
    ('clusmath.options.train_cfg.max_epochs', 3, r"stages\.clusmath has neither parts nor config nor "
     r"checkpoint \(did you mean 'clusmatch'\?\).*\['propos', 'clusmatch'\]"),
    ('clusmatch', 'clusmatch.py', r"stages\.clusmatch must be a dict of parts, on, data, facts, config, "
     r"options, checkpoint, got 'clus"),
    ('clusmatch.options.train_dataloader.batch_size', 64, r'train_dataloader\.batch_size=64'),
    ('clusmatch.options.model.base.init_cfg.checkpoint', '{later}', r'\{later\}.*Run the recipe')])
def test_a_stage_is_read_before_the_one_before_it_trains(two_stages, key, value, message):
    two_stages.merge_from_dict({f'stages.{key}': value})
    refused(two_stages, ValueError, message)


@pytest.fixture
def composed(tmp_path):
    """A recipe of parts in a file, with more of its text."""
    def write(text='', part=''):
        (tmp_path / 'parts').mkdir(exist_ok=True)
        (tmp_path / 'parts' / 'mine.py').write_text(part)
        path = tmp_path / f'{len(list(tmp_path.iterdir()))}.py'
        path.write_text("data = 'data/digits'\n"
                        "stages = dict(propos=dict(parts=['propos/cnn_digits', 'mine']),\n"
                        "              clusmatch=dict(on='propos', parts=['boosters/clusmatch_digits']))\n" + text)
        cfg = Config.fromfile(path, lazy_import=False)
        cfg.work_dir = str(tmp_path / 'work')
        return cfg
    return write


@pytest.mark.parametrize('text, message', [
    ('hook = dict(kmeans=dict(n_init=3))', r"the recipe: nothing reads hook \(did you mean 'hooks'\?\)"),
    ('metric = dict()', "did you mean 'metrics'"), ('fact = dict(lr=0.1)', "did you mean 'facts'"),
    ('networks = dict(embed=8)', "did you mean 'network'"), ("datas = 'data/digits'", "did you mean 'data'"),
    ("options = dict(train_cfg=dict(max_epochs=1))", r'options is read in a stage of a recipe only'),
    ("parts = ['views/simclr']", r'read in a stage of a recipe only, as stages\.NAME\.parts'),
    ('facts = 3', 'the recipe: facts must be a dict, got 3'), ('data = 3', 'the recipe: data must be a text, got 3'),
    ('network = dict(embedd=8)', "nothing uses the fact 'embedd' .did you mean 'embed'"),
    ('stages = dict()', 'stages must be a dict of at least one stage'), ('stages = [1]', 'stages must be a dict of'),
    ('stages.update(propos=None)', r'stages\.propos must be a dict of parts'),
    ("stages['propos'].update(parts='propos/cnn_digits')", r'stages\.propos: parts must be a list of names'),
    ("stages['propos'].update(parts=[3])", r'stages\.propos: parts must be a list of names'),
    ("stages['propos'].update(options=3)", r'stages\.propos: options must be a dict'),
    ("stages['propos'].update(config='x.py')", r'stages\.propos has parts and a config'),
    ("stages['propos'].update(on='clusmatch')", 'stages go on from each other'),
    ("stages['propos'].update(options=dict(hook=dict()))", r"stages\.propos\.options: nothing reads hook"),
    ("stages['propos'].update(options={'hooks.kmeans.n_init': 3})", 'write hooks.kmeans.n_init as nested dicts')])
def test_a_misspelt_recipe_of_parts(composed, text, message):
    with pytest.raises(ValueError, match=message):
        check_stages(composed(text))


@pytest.mark.parametrize('part, message', [
    ('hook = dict(kmeans=dict(n_init=3))', r"the part .*mine\.py: nothing reads hook \(did you mean 'hooks'\?\)"),
    ('netwrok = dict(embed=8)', "did you mean 'network'"), ('randomnes = dict(seed=3)', "did you mean 'randomness'"),
    ("part = ['views/simclr']", "did you mean 'parts'"), ("on = 'propos'", 'read in a stage of a recipe only'),
    ("parts = 'views/simclr'", r'mine\.py: parts must be a list of names'), ('hooks = 3', 'hooks must be a dict'),
    ('facts = dict(warmupp=3)', r"stage 'propos': nothing uses the fact 'warmupp' \(did you mean 'warmup'\?\)"),
    ('network = dict(embedd=8)', "nothing uses the fact 'embedd' .did you mean 'embed'")])
def test_a_misspelt_part(composed, part, message):
    with pytest.raises(ValueError, match=message):
        check_stages(composed(part=part))


def test_names_of_recipes_and_parts_that_are_read(composed, monkeypatch):
    told = []
    monkeypatch.setattr('mmcluster.recipes.config_names.print_log', lambda text, **kwargs: told.append(text))
    cfg = composed('hooks = dict(kmeans=dict(n_init=3))\nmetrics = dict(kmeans=dict(n_init=3))\nnetwork = dict(embed=8)\n',
                   'hook = dict(n_init=2)\nhooks = dict(kmeans=hook)')
    check_stages(cfg)
    assert not [text for text in told if 'hooks' in text or 'metrics' in text or 'network' in text]
    base = stage_config(cfg, 'propos', {})
    assert base.model.neck.out_channels == stage_config(cfg, 'clusmatch', {}).model.base.neck.out_channels == 8
    assert base.val_evaluator.n_init == 3


@pytest.mark.parametrize('key', ['config', 'checkpoint'])
def test_a_file_that_is_not_there(two_stages, key):
    two_stages.stages.clusmatch[key] = 'no_such_file'
    refused(two_stages, FileNotFoundError, rf"stages\.clusmatch\.{key}: no file 'no_such_file'")


def test_a_switch_that_a_later_stage_cannot_take(two_stages):
    def edit(cfg):
        if cfg.model.type == 'Boost':
            raise ValueError('not for this one')
    refused(two_stages, ValueError, 'not for this one', edit=edit)


def test_a_file_to_resume_from_is_for_a_config_without_stages(two_stages):
    refused(two_stages, ValueError, r'--resume /nope\.pth: a recipe goes on by itself', resume='/nope.pth')


def test_settings_beside_the_stages_reach_a_stage_that_does_not_name_them(two_stages):
    two_stages.merge_from_dict(dict(find_unused_parameters=True, activation_checkpointing=['backbone'], helper=3))
    stage = recipe.stage_config(two_stages, 'propos', {})
    assert stage.find_unused_parameters and stage.activation_checkpointing == ['backbone'] and 'helper' not in stage


# ---- names of the command line

KNOWN = ['optim_wrapper.optimizer.lr', 'find_unused_parameters', 'auto_scale_lr.base_batch_size', 'runner_type',
         'compile', 'custom_hooks.0.sigma', 'work_dir', 'load_from', 'sync_bn']
MISSPELT = [('optim_wraper.optimizer.lr', r"optim_wraper: nothing reads .*\(did you mean 'optim_wrapper'\?\)"),
            ('max_epochs', r'did you mean train_cfg\.max_epochs\?'),
            ('stage.propos.checkpoint', 'nothing reads'), ('xyz', r'of this name$')]


@pytest.mark.parametrize('name', KNOWN)
@pytest.mark.parametrize('single', [True, False])
def test_a_name_that_is_read(two_stages, name, single):
    cfg = read_stage('propos_cnn_digits') if single else two_stages
    check_names(cfg, [name] if single else [name, f'stages.clusmatch.options.{name}', 'stages.propos.checkpoint'])


@pytest.mark.parametrize('name, message', MISSPELT)
def test_a_name_that_nothing_reads(two_stages, name, message):
    single = read_stage('propos_cnn_digits')
    for cfg in (single, two_stages):
        with pytest.raises(ValueError, match=message):
            check_names(cfg, ['model.temperature', name])
    with pytest.raises(ValueError, match=message.replace('train_cfg', r'stages\.propos\.options\.train_cfg')):
        check_names(two_stages, [f'stages.propos.options.{name}'])


def test_a_stage_that_the_recipe_does_not_have(two_stages):
    message = r"no stage 'propose' \(did you mean 'propos'\?\)\. Its stages are \['propos', 'clusmatch'\]"
    with pytest.raises(ValueError, match=message):
        check_names(two_stages, ['stages.propose.checkpoint'])
    check_names(two_stages, ['stages.third.config', 'stages.third.options.max_epochs'])
    with pytest.raises(ValueError, match=r"a stage has only .*did you mean 'options'"):
        check_names(two_stages, ['stages.propos.optoins.model.temperature'])
    with pytest.raises(ValueError, match='stages: nothing reads'):
        check_names(Config(dict(model=dict())), ['stages.propos.checkpoint'])


def test_a_variable_of_the_file_is_allowed_with_a_warning(monkeypatch, tmp_path):
    lines = []
    monkeypatch.setattr(option_names, 'print_log', lambda text, **options: lines.append(text))
    (tmp_path / 'own.py').write_text("source = dict(root='data')\nmodel = dict(source=source)\n")
    check_names(Config.fromfile(tmp_path / 'own.py', lazy_import=False), ['source.root', 'randomness.seed'])
    assert [line.split(': ')[0] for line in lines] == ['--cfg-options source']
    check_names(Config.fromfile(CONFIGS / 'propos_cnn_digits.py', lazy_import=False), {'data': 'data/digits', 'facts.epochs': 1})
    assert len(lines) == 1


@pytest.mark.parametrize('tool', ['train', 'test'])
def test_the_tools_read_the_names(monkeypatch, tmp_path, capsys, tool):
    file = ['none.pth'] if tool == 'test' else []
    monkeypatch.setattr(sys, 'argv', [tool, str(CONFIGS / 'propos_cnn_digits.py'), *file, '--work-dir',
                                      str(tmp_path / 'work'), '--cfg-options', 'optim_wraper.optimizer.lr=9.'])
    with pytest.raises(SystemExit, match='2'):
        runpy.run_path(str(ROOT / 'tools' / f'{tool}.py'), run_name='__main__')
    assert 'optim_wraper' in capsys.readouterr().err
    assert not (tmp_path / 'work').exists()


@pytest.mark.parametrize('option, known', [
    ('hooks.kmeans', True), ('hooks.mine', True), ('stages.second.options.hooks.own', True), ('metrics.kmeans', True),
    ('stages.second.options.metrics.mine', True), ('metrics.mine', False), ('hooks.own', False),
    ('hooks.kmean', False), ('stages.base.options.hooks.own', False), ('stages.second.options.metrics.had', False)])
def test_a_removal_on_the_command_line_removes_something(option, known):
    cfg = Config(dict(
        data='data/digits', hooks=dict(mine=dict(type='SyncBuffersHook')), stages=dict(
            base=dict(parts=['propos/cnn_digits']),
            second=dict(on='base', parts=['boosters/clusmatch_digits', 'select/by_head', 'heads/linear'],
                        options=dict(hooks=dict(own=dict(type='SyncBuffersHook')),
                                     metrics=dict(mine=dict(type='ClusteringMetric', source='head')))))))
    def entries():
        stages = [stage_config(cfg, name, {}) for name in cfg.stages]
        metrics = [stage.get('val_evaluator') or [] for stage in stages]
        return sum(len(stage.get('custom_hooks', ())) for stage in stages) + sum(
            1 if isinstance(one, dict) else len(one) for one in metrics)

    if known:
        cfg.work_dir = 'w'
        before = entries()
        option_names.check_names(cfg, {option: None})
        cfg.merge_from_dict({option: None})
        assert entries() < before
    else:
        with pytest.raises(ValueError, match=f'--cfg-options {option}=None removes nothing'):
            option_names.check_names(cfg, {option: None})
