"""A zoo of one's own: weights by name, small, and only the published ones."""
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from mmengine.config import Config
from PIL import Image

import mmcluster
from mmcluster.apis import zoo
from mmcluster.cli import main
from mmcluster.recipes import config_file
from mmcluster.recipes.changes import comparable
from mmcluster.recipes.stages import stage_config
from mmcluster.strict import BANK

NAME = 'cc_cnn_digits'
TOOL = Path(__file__).parents[2] / 'tools' / 'model_converters' / 'publish_model.py'


@pytest.fixture(scope='module')
def publish():
    spec = importlib.util.spec_from_file_location('publish_model', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(tmp_path, engine):
    """Work dir of a stage with a checkpoint and a summary, for each of two seeds."""
    runs = []
    for seed, acc in enumerate((0.5, 0.75)):
        folder = tmp_path / f'seed{seed}'
        folder.mkdir()
        torch.manual_seed(seed)
        model = mmcluster.get_model(NAME, device='cpu')
        torch.save(dict(state_dict=model.state_dict(), optimizer={}, meta=dict(epoch=1)), folder / 'epoch_1.pth')
        (folder / 'done.json').write_text(json.dumps(dict(checkpoint='epoch_1.pth', config={})))
        (folder / 'summary.json').write_text(json.dumps(dict(seed=seed, metrics={'head/acc': acc, 'head/cluster_min': 3})))
        runs.append(folder)
    return runs


@pytest.fixture
def own_zoo(tmp_path, run, publish, monkeypatch):
    """A folder with a metafile of one model with weights."""
    folder = tmp_path / 'own'
    file, digest = publish.write_weights(run[0], folder, NAME, half=True)
    metrics, seeds = publish.figures(run)
    model = {'Name': 'mine', 'In Collection': 'CC', 'Config': f'configs/{NAME}.py', 'Weights': file.name,
             'SHA256': digest, 'Size': file.stat().st_size, 'License': 'MIT',
             'Results': [{'Task': 'Image Clustering', 'Dataset': 'digits', 'Metrics': metrics, 'Seeds': seeds}]}
    (folder / 'metafile.yml').write_text(yaml.safe_dump({'Models': [model]}))
    monkeypatch.setenv('MMCLUSTER_ZOO', str(folder))
    zoo._entries.cache_clear()
    yield folder, file
    zoo._entries.cache_clear()


def test_figures_are_those_of_the_first_run_and_of_all_seeds(run, publish):
    assert publish.figures(run) == ({'head/acc': 0.5}, {'head/acc': '0.6250 +- 0.1768, n=2'})
    with pytest.raises(ValueError, match='one run a seed'):
        publish.figures([run[0], run[0]])


def test_weights_are_half_as_large_and_load_by_name(own_zoo, run):
    folder, file = own_zoo
    state = torch.load(file, weights_only=True)['state_dict']
    assert not any(key.startswith(BANK) for key in state)
    assert {value.dtype for value in state.values() if value.dim() > 1} == {torch.float16}
    model = mmcluster.get_model('mine', pretrained=True, device='cpu')
    old = torch.load(run[0] / 'epoch_1.pth', weights_only=True)['state_dict']
    for key, value in model.state_dict().items():
        if not key.startswith(BANK):
            assert value.dtype == old[key].dtype
            torch.testing.assert_close(value, old[key], rtol=1e-3, atol=1e-4)


def test_an_address_serves_as_a_zoo_and_is_read_once(own_zoo, monkeypatch, tmp_path):
    folder, file = own_zoo
    monkeypatch.setenv('MMCLUSTER_ZOO', folder.as_uri())
    monkeypatch.setenv('MMCLUSTER_CACHE', str(tmp_path / 'cache'))
    zoo._entries.cache_clear()
    kept = zoo.zoo_checkpoint('mine')
    assert Path(kept).read_bytes() == file.read_bytes() and str(tmp_path / 'cache') in kept
    file.unlink()
    assert zoo.zoo_checkpoint('mine') == kept


def test_another_file_is_refused(own_zoo):
    _, file = own_zoo
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(ValueError, match='not the file that was published'):
        mmcluster.get_model('mine', pretrained=True)


def test_a_missing_file_and_an_empty_folder_are_named(own_zoo, monkeypatch, tmp_path):
    own_zoo[1].unlink()
    with pytest.raises(FileNotFoundError, match='are missing'):
        zoo.zoo_checkpoint('mine')
    monkeypatch.setenv('MMCLUSTER_ZOO', str(tmp_path / 'nothing'))
    zoo._entries.cache_clear()
    with pytest.raises(ValueError, match='no folder with metafiles'):
        mmcluster.list_models()


def test_the_command_lists_figures_and_digest(own_zoo, capsys):
    main(['models', 'mine', '--pretrained'])
    line = capsys.readouterr().out
    for text in ('0.6250 +- 0.1768, n=2', 'MB', own_zoo[1].stem[-8:], 'MIT'):
        assert text in line


def test_the_command_tests_models_of_an_own_zoo(own_zoo, engine, tmp_path):
    main(['test', 'mine', '--work-dir', str(tmp_path / 'work'), '--out-item', str(tmp_path / 'found.json')])
    assert 'head/acc' in json.loads((tmp_path / 'found.json').read_text())


@pytest.mark.parametrize('name', mmcluster.list_models(pretrained=True))
def test_every_shipped_model_loads_and_answers(name):
    model = mmcluster.get_model(name, pretrained=True, device='cpu')
    found = mmcluster.inference_model(model, Image.new('RGB', (28, 28)))
    assert len(found) == 1 and 0 <= found[0]['pred_cluster'] < 10
    again, = mmcluster.inference_model(model, np.zeros((28, 28, 3), np.uint8))
    assert again['pred_score'] == found[0]['pred_score'], 'an array, too'


@pytest.fixture(scope='module')
def net():
    torch.manual_seed(0)
    return mmcluster.get_model('cc_cnn_sign_digits', device='cpu')


def test_inference_leaves_the_model_as_it_was_and_takes_batches(net, monkeypatch):
    images = [Image.fromarray(pixels) for pixels in np.random.RandomState(0).randint(0, 256, (5, 32, 32, 3), np.uint8)]
    whole = mmcluster.inference_model(net, images)
    net.train()
    net.backbone.eval()
    before = [(module.training, [one.requires_grad for one in module.parameters()]) for module in net.modules()]
    monkeypatch.setattr(zoo, 'BATCH', 2)
    again = mmcluster.inference_model(net, images)
    assert [(module.training, [one.requires_grad for one in module.parameters()]) for module in net.modules()] == before
    assert all(one.requires_grad for one in net.head.parameters())
    net.eval()
    for one, other in zip(whole, again, strict=True):
        assert one['pred_cluster'] == other['pred_cluster'] and one['scores'].shape == other['scores'].shape
        np.testing.assert_allclose(one['scores'], other['scores'], rtol=1e-4, atol=1e-6)


def test_inference_sees_an_image_as_it_sees_its_file(net, tmp_path):
    image = Image.fromarray(np.random.RandomState(0).randint(0, 256, (32, 32, 4), np.uint8))
    image.save(tmp_path / 'a.png')
    file, held, array = mmcluster.inference_model(net, [tmp_path / 'a.png', image, np.asarray(image)])
    assert np.array_equal(file['scores'], held['scores']) and np.array_equal(file['scores'], array['scores'])


@pytest.mark.parametrize('bad', [np.zeros((28, 28)), np.zeros((5, 28, 28), np.uint8), np.zeros((2, 8, 8, 3), np.uint8)])
def test_arrays_that_are_no_image_are_refused(net, bad):
    with pytest.raises(ValueError, match='takes uint8 arrays'):
        mmcluster.inference_model(net, bad)


def test_published_weights_have_the_figures_of_their_metafile(tmp_path, engine):
    name = 'propos_clusmatch_cnn_digits'
    main(['test', name, '--work-dir', str(tmp_path)])
    line = json.loads(next(tmp_path.glob('*/*.json')).read_text())
    stated = zoo.model_entry(name).results[0]['Metrics']
    assert stated['head/acc'] > 0.95
    for metric, value in stated.items():
        assert line[metric] == pytest.approx(value, abs=1e-3), metric


def test_another_stage_than_the_published_one_is_refused(engine, capsys):
    assert main(['test', 'propos_clusmatch_cnn_digits', '--stage', 'propos']) == 2
    assert 'weights of the stage clusmatch of propos_clusmatch_cnn_digits: drop --stage propos' in capsys.readouterr().err


# ---- what is published

@pytest.fixture
def trained(run):
    """The runs, done with the recipe of their name."""
    for folder in run:
        cfg = Config.fromfile(config_file(NAME), lazy_import=False)
        single = stage_config(dict_of(cfg, folder), zoo.last_stage(config_file(NAME)), {})
        record = dict(checkpoint='epoch_1.pth', config=comparable(single, str(folder.parent)))
        (folder / 'done.json').write_text(json.dumps(record))
    return run


def dict_of(cfg, folder):
    cfg.work_dir, cfg.randomness = str(folder.parent), dict(seed=int(folder.name[-1]))
    return cfg


def published(publish, monkeypatch, *arguments):
    monkeypatch.setattr('sys.argv', ['publish_model.py', *map(str, arguments)])
    publish.main()


def test_an_own_zoo_is_begun_and_goes_on(trained, publish, monkeypatch, tmp_path, capsys):
    own = tmp_path / 'begun'
    monkeypatch.setenv('MMCLUSTER_ZOO', str(own))
    zoo._entries.cache_clear()
    published(publish, monkeypatch, NAME, *trained)
    file, = own.glob('*.pth')
    assert zoo.zoo_checkpoint(NAME) == str(file) and zoo.model_entry(NAME).size == file.stat().st_size
    metafile = own / 'metafile.yml'
    text = metafile.read_text().replace('Models:\n', '# mine\nModels:\n  - Name: other  # first\n    Config: x.py\n\n', 1)
    metafile.write_text(text + '  - {Name: last, Config: y.py}\n')
    published(publish, monkeypatch, NAME, *trained, '--license', 'MIT')
    again = metafile.read_text()
    assert again.replace('MIT', 'Apache-2.0') == text + '  - {Name: last, Config: y.py}\n'
    zoo._entries.cache_clear()


@pytest.mark.parametrize('spoil, message', [
    (lambda run: run[1] / 'done.json', 'holds no run that is done'), (lambda run: run[0] / 'epoch_1.pth', 'holds no run that is done')])
def test_what_is_not_done_is_not_published(trained, publish, monkeypatch, tmp_path, capsys, spoil, message):
    spoil(trained).unlink()
    refused(publish, monkeypatch, tmp_path, capsys, trained, message)


def test_another_config_or_place_is_refused(trained, publish, monkeypatch, tmp_path, capsys):
    record = json.loads((trained[1] / 'done.json').read_text())
    record['config']['train_cfg']['max_epochs'] = 3
    (trained[1] / 'done.json').write_text(json.dumps(record))
    refused(publish, monkeypatch, tmp_path, capsys, trained, 'train_cfg.max_epochs: 3 ->')
    refused(publish, monkeypatch, tmp_path, capsys, trained, 'is neither', '--zoo', tmp_path / 'elsewhere')
    for path in (config_file(NAME), f'{NAME}.py'):
        refused(publish, monkeypatch, tmp_path, capsys, trained, 'is a path: give the name', name=path)


def refused(publish, monkeypatch, tmp_path, capsys, runs, message, *more, name=NAME):
    """Nothing is written then."""
    monkeypatch.setenv('MMCLUSTER_ZOO', str(tmp_path / 'own'))
    with pytest.raises(SystemExit):
        published(publish, monkeypatch, name, *runs, *more)
    assert message in capsys.readouterr().err and not list(tmp_path.rglob(f'{NAME}-*.pth'))
