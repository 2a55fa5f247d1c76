"""Settings that would break resume, or let ground truth reach the weights, are refused before anything is built."""
import pytest
from mmengine.config import Config
from mmengine.hooks import EarlyStoppingHook
from mmengine.optim import ReduceOnPlateauLR
from reduced import clusmatch_cfg, propos_cfg, read_stage, spice_cfg, train, write_base, write_digits, write_recipe

from mmcluster.engine.launch import group_options
from mmcluster.recipes.exact import check_accumulation, check_exact
from mmcluster.registry import HOOKS

pytestmark = pytest.mark.usefixtures('engine')
PLATEAU = dict(type='ReduceOnPlateauLR', monitor='kmeans/acc')
STOP = dict(type='EarlyStoppingHook', monitor='head/acc')


@HOOKS.register_module(force=True)
class OwnStop(EarlyStoppingHook):
    """A stop of a user."""


REFUSED = [
    (dict(train_cfg=dict(_delete_=True, type='IterBasedTrainLoop', max_iters=9)), r'train_cfg: .*sampler\.length'),
    (dict(train_cfg=dict(_delete_=True, by_epoch=False, max_iters=9)), r'train_cfg: .*no epochs'),
    (dict(default_hooks=dict(checkpoint=dict(by_epoch=False))), r'default_hooks\.checkpoint\.by_epoch=False saves in'),
    (dict(default_hooks=dict(checkpoint=dict(save_last=False))), r'default_hooks\.checkpoint\.save_last=False: .*the result'),
    (dict(default_hooks=dict(checkpoint=dict(out_dir='elsewhere'))), r'default_hooks\.checkpoint\.out_dir: .*work dir'),
    (dict(custom_hooks=[dict(type='mmengine.CheckpointHook', by_epoch=False)]), r'custom_hooks\.0\.by_epoch=False'),
    (dict(custom_hooks=[STOP]), r"custom_hooks\.0 decides by 'head/acc'.*ground truth.*max_epochs"),
    (dict(custom_hooks=[dict(type='OwnStop', monitor='loss')]), r"custom_hooks\.0 decides by 'loss'"),
    (dict(custom_hooks=[EarlyStoppingHook('x', rule='less')]), r"custom_hooks\.0 decides by 'x'"),
    (dict(default_hooks=dict(stop=STOP)), r'default_hooks\.stop decides by'),
    (dict(param_scheduler=dict(PLATEAU, _delete_=True)), r"param_scheduler decides by 'kmeans/acc'.*ground truth"),
    (dict(param_scheduler=[dict(type='LinearLR'), dict(PLATEAU, type=ReduceOnPlateauLR)]), r'scheduler\.1 decides'),
    (dict(param_scheduler=dict(_delete_=True, a=[dict(type='ReduceOnPlateauMomentum')])),
     r"param_scheduler\.a\.0 decides by 'a metric'"),
]


@pytest.mark.parametrize('change, message', REFUSED)
def test_a_setting_that_is_not_exact(change, message):
    cfg = read_stage('propos_cnn_digits')
    check_exact(cfg)
    cfg.merge_from_dict(change)
    with pytest.raises(ValueError, match=message):
        check_exact(cfg)


def test_a_later_stage_is_read_before_the_first_one_trains(tmp_path):
    data = write_digits(tmp_path)
    cfg = write_recipe(tmp_path, dict(propos=propos_cfg('', data), clusmatch=clusmatch_cfg('', data)))
    cfg.stages.clusmatch.options = dict(param_scheduler=dict(PLATEAU, _delete_=True))
    with pytest.raises(ValueError, match='param_scheduler decides by'):
        train(cfg)
    assert not (tmp_path / 'work').exists()


@pytest.mark.parametrize('count, length, allowed', [(2, 4, True), (2, 3, False), (4, 2, False), (1, 3, True)])
def test_gradients_that_would_be_left_at_the_end_of_an_epoch(tmp_path, count, length, allowed):
    cfg = propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1)
    cfg.optim_wrapper.accumulative_counts = count
    cfg.train_dataloader.sampler.length = length
    if allowed:
        train(cfg)
        return
    with pytest.raises(ValueError, match=rf'accumulative_counts={count} does not divide the {length} iterations'):
        train(cfg)


def test_every_optimiser_is_asked():
    class runner:
        optim_wrapper = dict(constructor='x', a=dict(accumulative_counts=1), b=dict(accumulative_counts=2))

        class train_loop:
            dataloader = [0] * 3

    with pytest.raises(ValueError, match='accumulative_counts=2'):
        check_accumulation(runner)
    runner.train_loop.dataloader = [0] * 4
    check_accumulation(runner)


def test_a_network_that_is_only_asked_has_no_batches_to_share(tmp_path, monkeypatch):
    """SPICE's 128 or 12 pairs cannot be shared by 5 processes, which matters where it is trained."""
    from mmcluster.models.clusterers import spice
    from mmcluster.recipes import requirements
    from mmcluster.registry import MODELS
    for module in (spice, requirements):
        monkeypatch.setattr(module, 'get_world_size', lambda: 5)
    cfg = spice_cfg(tmp_path / 'work', write_digits(tmp_path))
    model = dict(cfg.model, bank=dict(num_samples=60))
    assert MODELS.build(model).batch_size == 12
    with pytest.raises(ValueError, match='batch_size=12 pairs cannot be shared by 5 processes'):
        train(cfg)


@pytest.mark.parametrize('given, expected', [
    ([], {}), ([dict(backend='nccl')], dict(backend='nccl')), ([dict(timeout=30)], dict(timeout=30)),
    ([None, dict(backend='gloo', timeout=30), dict(backend='nccl', timeout=90.5)], dict(backend='gloo', timeout=90.5))])
def test_what_a_config_says_about_its_process_group(given, expected):
    assert group_options(*(Config(dict(env_cfg=dict(dist_cfg=each))) for each in given)) == expected
    for wrong in (0, -3, '30', True, float('nan')):
        with pytest.raises(ValueError, match=r'dist_cfg\.timeout must be a positive number of seconds'):
            group_options(Config(dict(env_cfg=dict(dist_cfg=dict(timeout=wrong)))))


def test_the_timeout_reaches_the_group(tmp_path, monkeypatch):
    from mmcluster.recipes import recipe
    asked = []
    monkeypatch.setattr(recipe, 'init_environment', lambda launcher, **options: asked.append(options))
    data = write_digits(tmp_path)
    cfg = write_recipe(tmp_path, dict(clusmatch=clusmatch_cfg('', data, write_base(tmp_path / 'base.pth', data), 1)))
    cfg.stages.clusmatch.options = dict(env_cfg=dict(dist_cfg=dict(timeout=77)))
    train(cfg)
    single = propos_cfg(tmp_path / 'single', data, epochs=1)
    single.env_cfg.dist_cfg.timeout = 88
    train(single)
    assert [options['timeout'] for options in asked] == [77, 88]
