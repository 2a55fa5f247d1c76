"""What a killed run may leave in its work dir."""
from types import SimpleNamespace

import pytest
from mmengine.config import Config

from mmcluster.engine import recipe
from mmcluster.engine.hooks.result import HISTORY, ResultHook


def test_a_pointer_to_a_missing_checkpoint_is_not_a_fresh_start(tmp_path):
    (tmp_path / 'last_checkpoint').write_text('epoch_9.pth')
    with pytest.raises(FileNotFoundError, match='--overwrite'):
        recipe._set_resume(Config(), str(tmp_path), True, False, False, {})
    recipe._set_resume(Config(), str(tmp_path), True, True, False, {})


def test_a_line_cut_off_by_a_kill_is_dropped(tmp_path):
    (tmp_path / HISTORY).write_text('{"epoch": 1, "acc": 0.5}\n{"epoch": 2, "ac')
    assert ResultHook._history(SimpleNamespace(work_dir=str(tmp_path))) == [{'epoch': 1, 'acc': 0.5}]
