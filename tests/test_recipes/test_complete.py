"""A config that lacks what a run is made of is answered by what to write, whatever the switches of the command."""
import re

import pytest
from reduced import ROOT

from mmcluster.cli import main
from mmcluster.recipes import read_config
from mmcluster.recipes.stages import check_stages, read_stage, stage_config

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
    assert re.search(r"stage 'base' has no train_dataloader, .*: state it in half\.py or in", capsys.readouterr().err)


def test_parts_that_lack_something_are_not_told_to_be_parts(tmp_path, capsys):
    (tmp_path / 'mine.py').write_text("data = 'data/digits'\nstages = dict(base=dict(parts=['nets/cnn_digits']))\n")
    assert main(['train', str(tmp_path / 'mine.py'), '--work-dir', str(tmp_path / 'run')]) == 2
    assert re.search(r"stage 'base' has no .*: none of its parts states it\n", capsys.readouterr().err)


@pytest.mark.parametrize('recipe', ["model = {}\nstages = dict(base=dict(config='half.py'))\n",
                                    "stages = dict(base=dict(config='half.py', options=dict(model={})))\n"])
def test_a_recipe_completes_the_file_of_a_stage(tmp_path, recipe):
    whole = read_stage(ROOT / 'configs' / 'cc_cnn_digits.py')
    model = whole.pop('model')
    whole.dump(tmp_path / 'half.py')
    (tmp_path / 'mine.py').write_text(recipe.format(model.to_dict()))
    cfg = read_config(tmp_path / 'mine.py')
    cfg.work_dir = str(tmp_path)
    assert check_stages(cfg) == ['base']
    assert stage_config(cfg, 'base', {}).model == model


def test_reading_a_model_needs_one(tmp_path):
    (tmp_path / 'mine.py').write_text(PARTS)
    with pytest.raises(ValueError, match=r'mine\.py has no model; parts, data are read in a stage'):
        read_stage(tmp_path / 'mine.py')
