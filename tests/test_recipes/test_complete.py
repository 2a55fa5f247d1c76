"""A config that lacks what a run is made of is answered by what to write, whatever the switches of the command."""
import re

import pytest

from mmcluster.cli import main
from mmcluster.recipes.stages import read_stage

PARTS = "data = 'data/digits'\nparts = ['cc/cnn_digits']\n"


@pytest.mark.parametrize('switches', [[], ['--amp'], ['--epochs', '2'], ['--auto-scale-lr']])
@pytest.mark.parametrize('text, said', [
    (PARTS, r'no model, train_dataloader, train_cfg, optim_wrapper; parts, data are read in a stage: write stages = '),
    ("model = dict(type='CC')\n", r'has no train_dataloader, train_cfg, optim_wrapper; state it, or let stages'),
    ('', r'has no model, train_dataloader')])
def test_train_names_what_a_config_lacks(tmp_path, capsys, text, said, switches):
    (tmp_path / 'mine.py').write_text(text)
    assert main(['train', str(tmp_path / 'mine.py'), '--work-dir', str(tmp_path / 'run'), *switches]) == 2
    assert re.search(said, capsys.readouterr().err)


def test_a_stage_of_a_file_that_lacks_something_is_named(tmp_path, capsys):
    (tmp_path / 'half.py').write_text("model = dict(type='CC')\n")
    (tmp_path / 'mine.py').write_text("stages = dict(base=dict(config='half.py'))\n")
    assert main(['train', str(tmp_path / 'mine.py'), '--work-dir', str(tmp_path / 'run')]) == 2
    assert "stage 'base' has no train_dataloader" in capsys.readouterr().err


def test_reading_a_model_needs_one(tmp_path):
    (tmp_path / 'mine.py').write_text(PARTS)
    with pytest.raises(ValueError, match=r'mine\.py has no model; parts, data are read in a stage'):
        read_stage(tmp_path / 'mine.py')
