"""Misspelt names of config files are refused, at every level, before anything is trained."""
import json

import pytest
from mmengine.config import Config
from reduced import CONFIGS, read_stage, stage_keys, train

from mmcluster.recipes.config_names import check_config
from mmcluster.recipes.known_names import SETTINGS
from mmcluster.recipes.stages import check_stages

pytestmark = pytest.mark.usefixtures('engine')

FAMILIES = ['propos_cnn_digits', 'propos_clusmatch_r18_cifar10/clusmatch', 'scan_cnn_digits/scan_cluster', 'spice_cnn_digits/spice_joint',
            'pici_vit_small_rsod', 'asd_ps_freematch_cnn_digits', 'scan_ruc_cnn_digits/ruc', 'fixmatch_wrn28_2_cifar10_40']
# Names that are the user's own, or that the part itself refuses when it is built.
OWN = ('bank.fields.', 'paramwise_cfg.lr_mult.', 'backbone.arch.')


def plain(name):
    """The settings of a shipped config as plain values."""
    return json.loads(json.dumps({key: value for key, value in read_stage(name).to_dict().items() if key in SETTINGS}))


def places(value, where=()):
    """Path of every key of a nested value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if isinstance(value, dict):
            yield (*where, key)
        yield from places(item, (*where, key))


def swapped(name):
    """Two letters in the middle of a name swapped, or nearer its start if they are equal there."""
    for i in [*range(max(len(name) // 2 - 1, 0), len(name) - 1), *range(len(name) // 2)]:
        if name[i] != name[i + 1]:
            return name[:i] + name[i + 1] + name[i] + name[i + 2:]
    return name + name[-1]


def misspelt(value, path):
    """A copy of a nested value with one key misspelt."""
    first, *rest = path
    if isinstance(value, list):
        return [misspelt(item, rest) if i == first else item for i, item in enumerate(value)]
    return {swapped(key) if key == first and not rest else key: misspelt(item, rest) if key == first and rest else item
            for key, item in value.items()}


@pytest.mark.parametrize('name', FAMILIES)
def test_no_misspelt_name_is_ignored(name):
    settings = plain(name)
    check_config(Config(settings))
    ignored = []
    for path in places(settings):
        try:
            check_config(Config(misspelt(settings, path)))
            ignored.append('.'.join(map(str, path)))
        except (KeyError, ValueError):
            pass
    assert not [place for place in ignored if not any(own in place for own in OWN)]


@pytest.mark.parametrize('key, value, message', [
    ('default_hooks.praam_scheduler', dict(type='ParamSchedulerHook'),
     r"default_hooks\.praam_scheduler \(did you mean 'param_scheduler'\?\)"),
    ('default_hokos', dict(), r"default_hokos \(did you mean 'default_hooks'\?\); .*extra_keys=\['default_hokos'\]"),
    ('default_hooks.checkpoint.intervall', 3, r"checkpoint\.intervall \(did you mean 'interval'\?\)"),
    ('find_unused_paramters', True, r"did you mean 'find_unused_parameters'"),
    ('randomness.sede', 3, r"randomness\.sede \(did you mean 'seed'\?\)"),
    ('env_cfg.mp_cfg.start_method', 'spawn', r'env_cfg\.mp_cfg\.start_method'),
    ('optim_wrapper.clip_grad.max_nrom', 1., r"did you mean 'max_norm'"),
    ('optim_wrapper.paramwise_cfg.lr_mutl', dict(), r"did you mean 'lr_mult'"),
    ('train_dataloader.smapler', dict(), r"train_dataloader\.smapler \(did you mean 'sampler'\?\)"),
    ('train_dataloader.sampler.streams.batch.siez', 3, r"did you mean 'size'"),
    ('train_dataloader.sampler.streams.bacth', dict(size=3),
     r"ProPos has no stream 'bacth'; its streams are \['batch'\]"),
    ('model.psl_wieght', 3., r"model\.psl_wieght \(did you mean 'psl_weight'\?\)"),
    ('model.bank.num_smaples', 3, r"did you mean 'num_samples'"),
    ('model.neck.width', 3, r"model\.neck\.width, which dict\(type='MLPProjector'\) does not take; it takes "),
    ('custom_hooks.0.stesp', [], r"custom_hooks\.0\.stesp \(did you mean 'steps'\?\)"),
    ('val_evaluator.sorce', 'head', r"val_evaluator\.sorce \(did you mean 'source'\?\)"),
    ('param_scheduler.warmup', 3, r"param_scheduler\.warmup"),
    ('log_processor.windowsize', 3, r"did you mean 'window_size'")])
def test_the_message_names_the_place_and_what_is_near(tmp_path, key, value, message):
    cfg = read_stage('propos_cnn_digits')
    cfg.merge_from_dict({key: value})
    cfg.work_dir = str(tmp_path / 'work')
    with pytest.raises(ValueError, match=message):
        train(cfg)
    assert not (tmp_path / 'work').exists()


def test_a_stage_and_a_recipe_are_checked_before_the_first_trains(tmp_path):
    for place in ('options', None):
        cfg = Config.fromfile(CONFIGS / 'propos_clusmatch_cnn_digits.py', lazy_import=False)
        cfg.work_dir = str(tmp_path / 'work')
        settings = dict(randomnes=dict(seed=3)) if place is None else {f'stages.clusmatch.{place}.randomnes.seed': 3}
        cfg.merge_from_dict(settings)
        with pytest.raises(ValueError, match=r"randomnes \(did you mean 'randomness'\?\)"):
            check_stages(cfg)


def write(path, text):
    path.write_text(text, encoding='utf-8')
    return Config.fromfile(path, lazy_import=False)


def test_variables_of_a_file_may_have_any_name(tmp_path):
    (tmp_path / 'base.py').write_text("models = dict(seed=3)\nview = [1]\nrandomness = models\n", encoding='utf-8')
    cfg = write(tmp_path / 'child.py', "_base_ = 'base.py'\nhooks = []\n"
                'custom_hooks = hooks + [*{{_base_.view}}][:0]\n')
    check_config(cfg)
    near = write(tmp_path / 'near.py', "_base_ = 'base.py'\nmodle = dict(seed=4)\n")
    with pytest.raises(ValueError, match=r"modle \(did you mean 'model'\?\)"):
        check_config(near)
    check_config(write(tmp_path / 'extra.py', "modle = 3\nextra_keys = ['modle']\n"))


def test_a_variable_that_changes_nothing_is_named(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr('mmcluster.recipes.config_names.print_log', lambda text, **kwargs: told.append(text))
    (tmp_path / 'base.py').write_text("source = dict(seed=3)\nrandomness = source\nothers = 3\n", encoding='utf-8')
    check_config(write(tmp_path / 'child.py', "_base_ = 'base.py'\nsource = dict(seed=4)\n"))
    assert len(told) == 1 and 'nothing reads source. A variable of a base file' in told[0]
    check_config(write(tmp_path / 'quiet.py', "_base_ = 'base.py'\n"))
    assert len(told) == 1


def test_every_shipped_config_passes():
    for key in stage_keys()[::5]:
        check_config(read_stage(key))
