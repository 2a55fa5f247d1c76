"""Composed stages are the configs of before, but for the differences that are listed."""
import pytest
from reduced import read_stage

from .golden import CHANGES, RENAMED, differences, golden, not_meant, today

FILE = golden()
GOLDEN, STREAMS = FILE['settings'], FILE['streams']


@pytest.mark.parametrize('key', GOLDEN)
def test_a_stage_is_what_it_was(key):
    cfg = read_stage(RENAMED.get(key, key))
    assert not_meant(key, list(differences(GOLDEN[key], today(cfg)))) == []
    assert list(cfg.train_dataloader.sampler.streams) == STREAMS[key], 'JSON sorts, but the order counts the draws'


def test_nothing_is_listed_for_nothing():
    assert set(RENAMED) <= set(GOLDEN) and all(why for *_, why in CHANGES)


def test_a_difference_is_seen():
    old = GOLDEN['propos_cnn_digits']
    new = dict(old, train_cfg=dict(old['train_cfg'], max_epochs=3), extra=1)
    assert not_meant('propos_cnn_digits', list(differences(old, new))) == [
        'extra: nothing -> 1', 'train_cfg.max_epochs: 200 -> 3']
