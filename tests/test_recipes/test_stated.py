"""What a recipe leaves out or takes away, and what a command line adds to it, is answered by what to write."""
import pytest
import torch
from mmengine.config import Config
from torchvision.models import resnet18

from mmcluster import cli
from mmcluster.recipes.merging import merge_options
from mmcluster.recipes.option_names import check_names
from mmcluster.recipes.stages import check_stages, read_stage
from mmcluster.registry import MODELS

pytestmark = pytest.mark.usefixtures('engine')
BARE = "stages = dict(byol=dict(parts=['byol/cnn_digits']))\n"


def checked(tmp_path, text, options=None):
    """Stages of a recipe with options, as ``mmcluster train`` checks them."""
    (tmp_path / 'mine.py').write_text(text)
    cfg = Config.fromfile(tmp_path / 'mine.py', lazy_import=False)
    check_names(cfg, options or {})
    merge_options(cfg, options or {})
    cfg.work_dir = str(tmp_path / 'work')
    return check_stages(cfg)


def test_a_recipe_without_data_is_told_to_name_one(tmp_path):
    message = r"stage 'byol' needs the fact 'mean'.*The recipe names no data set, .* give it data='data/NAME'"
    with pytest.raises(ValueError, match=message):
        checked(tmp_path, BARE)
    for place in ('data', 'stages.byol.data'):
        assert checked(tmp_path, BARE, {place: 'data/digits'}) == ['byol'], 'on the command line, too'
    with pytest.raises(ValueError, match="facts are .*[^D]$"):      # another fact: the data set is not to blame
        checked(tmp_path, "data = 'data/digits'\nstages = dict(byol=dict(parts=['boosters/learner']))\n")


@pytest.mark.parametrize('removed', ['metrics', 'metrics.kmeans'])
def test_a_stage_whose_last_metric_is_removed_is_refused(tmp_path, removed):
    with pytest.raises(ValueError, match="stage 'byol' has no metric left.*--no-validate"):
        checked(tmp_path, "data = 'data/digits'\n" + BARE, {f'stages.byol.options.{removed}': None})


def test_an_entry_of_a_fact_that_the_file_states_as_a_text(tmp_path):
    """mmengine ends in a TypeError there."""
    text = "data = 'data/digits'\nval_dataloader = dict(dataset=dict(source='{source}'))\n" + BARE
    with pytest.raises(ValueError, match=r"val_dataloader\.dataset\.source is '{source}' in .*mine\.py.*"
                                         r'stages\.NAME\.facts\.source\.labels'):
        checked(tmp_path, text, {'val_dataloader.dataset.source.labels': 'labels.csv'})


def test_a_fact_in_the_file_may_be_replaced_by_the_command_line(tmp_path):
    text = "data = 'data/digits'\nval_dataloader = dict(dataset=dict(source='{source}'))\n" + BARE
    place = 'val_dataloader.dataset.source'
    assert checked(tmp_path, text, {f'{place}._delete_': True, f'{place}.type': 'DigitsSource'}) == ['byol']
    text = ("data = 'data/digits'\nstages = dict(base=dict(parts=['propos/cnn_digits']), boost=dict(on='base', parts=["
            "'boosters/clusmatch_digits'], options=dict(model=dict(base='{on.network}'))))\n")
    with pytest.raises(ValueError, match='has no entries there. Change them in that stage'):
        checked(tmp_path, text, {'stages.boost.options.model.base.backbone.widths': (4, 8)})


def test_a_file_without_a_checkpoint_is_no_name_of_the_zoo(tmp_path, capsys):
    (tmp_path / 'mine.py').write_text(BARE)
    assert cli.main(['test', str(tmp_path / 'mine.py')])
    assert 'mine.py: give the checkpoint that should be evaluated, too' in capsys.readouterr().err


def test_a_backbone_starts_from_a_file_of_torchvision(tmp_path):
    """As the page on recipes says; a momentum network starts as a copy of it."""
    given = resnet18().state_dict()
    torch.save(given, tmp_path / 'resnet.pth')
    backbone = dict(depth=18, init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'resnet.pth'), leave_out=['fc[.].*']))
    (tmp_path / 'mine.py').write_text(
        "data = 'data/imagenet_dogs_workers'\nstages = dict(propos=dict(parts=['propos/r50_workers'], "
        f"facts=dict(width=512), options=dict(model=dict(backbone={backbone!r}))))\n")
    cfg = read_stage(tmp_path / 'mine.py')
    cfg.model.bank.num_samples = 4
    model = MODELS.build(cfg.model)
    model.init_weights()
    for network in (model.backbone, model.teacher.backbone):
        own = network.state_dict()
        assert own.keys() == {key for key in given if not key.startswith('fc.')}
        assert all(torch.equal(value, given[key]) for key, value in own.items())
