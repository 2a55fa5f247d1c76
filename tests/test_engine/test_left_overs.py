"""What a killed run may leave in its work dir."""
from types import SimpleNamespace

import pytest

from mmcluster.engine.hooks.result import HISTORY, ResultHook
from mmcluster.recipes.progress import starting_point


def test_a_pointer_to_a_missing_checkpoint_is_not_a_fresh_start(tmp_path):
    (tmp_path / 'last_checkpoint').write_text('epoch_9.pth')
    with pytest.raises(FileNotFoundError, match='--overwrite'):
        starting_point(str(tmp_path), {}, resume=True)
    assert starting_point(str(tmp_path), {}, resume=True, overwrite=True) == (None, False)


def test_a_line_cut_off_by_a_kill_is_dropped(tmp_path):
    (tmp_path / HISTORY).write_text('{"epoch": 1, "acc": 0.5}\n{"epoch": 2, "ac')
    assert ResultHook._history(SimpleNamespace(work_dir=str(tmp_path))) == [{'epoch': 1, 'acc': 0.5}]


def test_what_comes_after_a_line_that_was_cut_is_a_line_of_its_own(tmp_path):
    (tmp_path / HISTORY).write_text('{"epoch": 1, "acc": 0.5}\n{"epoch": 2, "ac')
    runner = SimpleNamespace(work_dir=str(tmp_path), epoch=2, visualizer=SimpleNamespace(_vis_backends={}))
    ResultHook().before_train_epoch(runner)
    ResultHook().after_val_epoch(runner, dict(acc=0.6))
    assert ResultHook._history(runner) == [{'epoch': 1, 'acc': 0.5}, {'epoch': 2, 'acc': 0.6}]
