"""The figures of a checkpoint, on runs of a second."""
import importlib
import re
import shutil
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from reduced import K, N, load

from mmcluster.apis import load_weights, open_config, open_model
from mmcluster.functional.clustering.metrics import clustering_metrics
from mmcluster.registry import DATASETS

pytestmark = pytest.mark.usefixtures('engine')
matplotlib.use('Agg')
FOLDER = Path(__file__).parents[2] / 'tools' / 'analysis_tools'
EPOCHS = 3


def spice(runs):
    return runs / 'spice.py', runs / 'work' / 'spice' / f'epoch_{EPOCHS}.pth'


def clusmatch(runs):
    return runs / 'clusmatch.py', runs / 'work' / 'clusmatch' / 'epoch_1.pth'


def propos(runs):
    return runs / 'propos.py', runs / 'base.pth'


# ---- opening

def test_a_checkpoint_opens_as_it_was_trained(runs):
    cfg, path = spice(runs)
    model = open_model(open_config(str(cfg)), str(path))
    state = load(path)['state_dict']
    assert not model.training and all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    load_weights(model, str(path).replace(f'_{EPOCHS}', '_1'))
    assert not torch.equal(model.head.heads[0].fc1.weight, state['head.heads.0.fc1.weight'])


def test_a_checkpoint_of_another_model_is_refused(runs):
    with pytest.raises(ValueError, match='does not fit SPICE'):
        open_model(open_config(str(spice(runs)[0])), str(runs / 'base.pth'))


def test_a_stage_opens_without_the_files_of_its_base(runs, tmp_path):
    cfg = open_config(str(runs / 'recipe.py'), 'clusmatch', dict(work_dir=str(tmp_path)))
    assert 'init_cfg' not in cfg.model.base and cfg.model.bank.num_samples == N
    assert open_model(cfg, str(clusmatch(runs)[1])).head is not None
    for stage in (None, 'clusmtach'):
        with pytest.raises(ValueError, match=r"is a recipe: name one of its stages by --stage, \['.*'\]"):
            open_config(str(runs / 'recipe.py'), stage)


# ---- prototypes

@pytest.mark.parametrize('method', [spice, clusmatch, propos])
@pytest.mark.parametrize('attention', [False, True])
def test_prototypes_of_any_method(runs, draw, method, attention):
    text, picture = draw('prototypes', *method(runs), '--top', 2, '--side', 16, *['--attention'] * attention)
    rows = re.findall(r'cluster (\d+): (\d+), (\d+)\n', text)
    assert [int(cluster) for cluster, *_ in rows] == list(range(K))
    assert picture.shape == (K * 20, (1 + attention) * 2 * 20, 3)
    digits = np.load(runs / 'images.npy')
    for cluster, *pair in rows:
        for column, row in enumerate(pair):
            tile = picture[int(cluster) * 20 + 2:, column * (1 + attention) * 20 + 2:][:16:2, :16:2]
            assert np.array_equal(tile, np.broadcast_to(digits[int(row)][..., None], tile.shape))
    if attention:
        heat = picture[2:18, 22:38].astype(int)
        assert len(np.unique(heat.reshape(-1, 3), axis=0)) > 8 and (heat.max(2) > heat.min(2)).any()


def test_the_surest_images_decide(runs, draw):
    """A prototype is recomputed by hand, from the kept head of a SPICE."""
    text, _ = draw('prototypes', *spice(runs), '--source', 'head', '--top', 1, '--center-ratio', 1)
    model = open_model(open_config(str(spice(runs)[0])), str(spice(runs)[1]))
    images = torch.from_numpy(np.load(runs / 'images.npy'))[:, None] / 255.
    embed, logits = model.outputs(model.data_preprocessor._normalize(images))
    unit = torch.nn.functional.normalize(embed, dim=1)
    for cluster, row in enumerate(re.findall(r'cluster \d+: (\d+)\n', text)):
        center = unit[logits.softmax(1)[:, cluster].topk(N // K).indices].mean(0)
        assert int(row) == int((unit @ center).argmax())


def test_sources_of_prototypes(runs, draw):
    by_head, _ = draw('prototypes', *spice(runs), '--source', 'head')
    by_default, _ = draw('prototypes', *spice(runs))
    by_kmeans, _ = draw('prototypes', *spice(runs), '--source', 'kmeans', '--num-clusters', 3)
    assert by_head != by_default != by_kmeans and by_kmeans.count('cluster') == 3
    assert by_default == draw('prototypes', *spice(runs), '--source', 'kmeans')[0], 'its evaluation is by k-means'


def test_pictures_number_clusters_as_the_table_does(runs, draw):
    """The nearest images of a cluster belong to it by the run's own assignments."""
    text, _ = draw('prototypes', *clusmatch(runs), '--top', 1, '--center-ratio', 0.1)
    lines = (clusmatch(runs)[1].parent / 'assignments.csv').read_text().splitlines()[1:]
    cluster = [int(line.split(',')[1]) for line in lines]
    assert [cluster[int(row)] for row in re.findall(r'cluster \d+: (\d+)\n', text)] == list(range(K))


def test_options_of_sources(runs, draw):
    with pytest.raises(ValueError, match='ProPos has no head; take --source kmeans'):
        draw('prototypes', *propos(runs), '--source', 'head')


def test_a_recipe_needs_the_name_of_a_stage(runs, draw):
    recipe = runs / 'recipe.py'
    text, _ = draw('prototypes', recipe, spice(runs)[1], '--stage', 'spice', '--data', 'test')
    assert text == draw('prototypes', *spice(runs))[0]
    with pytest.raises(ValueError, match='name one of its stages'):
        draw('prototypes', recipe, spice(runs)[1])


# ---- reliable labels

def test_kept_labels_of_a_booster(runs, draw):
    text, picture = draw('reliability', *clusmatch(runs), '--max-samples', 40)
    target = load(clusmatch(runs)[1])['state_dict']['bank.target']
    truth, rows = np.load(runs / 'labels_None.npy'), target >= 0
    acc = clustering_metrics(truth[rows.numpy()], target[rows].numpy())['acc']
    assert re.search(rf'^{N} images, ACC 0\.\d+\n{int(rows.sum())} kept images, ACC {acc:.3f}\n', text)
    left, right = np.array_split(picture, 2, axis=1)
    dots = [(part.max(2).astype(int) - part.min(2) > 60).sum() for part in (left, right)]
    assert dots[0] > dots[1] > 0, 'fewer points are kept than there are'


def test_labels_on_the_embedding_of_another_network(runs, draw):
    own, _ = draw('reliability', *clusmatch(runs))
    other, _ = draw('reliability', *clusmatch(runs), '--features', *propos(runs))
    third, _ = draw('reliability', *clusmatch(runs), '--features', runs / 'recipe.py', spice(runs)[1], 'spice')
    assert own == other == third, 'only places change'


def test_half_a_network_is_refused(runs, draw, capsys):
    with pytest.raises(SystemExit):
        draw('reliability', *clusmatch(runs), '--features', propos(runs)[0])
    assert '--features takes a config, a checkpoint' in capsys.readouterr().err


def test_labels_of_the_last_e_step_where_nothing_is_selected(runs, draw, tmp_path):
    checkpoint = load(propos(runs)[1])
    checkpoint['state_dict']['bank.label'] = torch.arange(N) % K
    torch.save(checkpoint, tmp_path / 'labelled.pth')
    assert f'{N} kept images' in draw('reliability', propos(runs)[0], tmp_path / 'labelled.pth')[0]


def test_a_method_without_kept_labels(runs, draw):
    with pytest.raises(ValueError, match="SPICE keeps no 'target' in its bank"):
        draw('reliability', *spice(runs))


# ---- heads

def test_every_head_of_every_epoch(runs, draw):
    text, picture = draw('head_selection', spice(runs)[0], runs / 'work' / 'spice')
    lines = re.findall(r'epoch (\d): ACC of the heads (\S+) to (\S+), kept head (\d) (\S+), loss (\S+)\n', text)
    assert [int(line[0]) for line in lines] == list(range(1, EPOCHS + 1)) and picture.std() > 0
    truth = np.load(runs / 'labels_None.npy')
    images = torch.from_numpy(np.load(runs / 'images.npy'))[:, None] / 255.
    model = open_model(open_config(str(spice(runs)[0])))
    for epoch, low, high, index, kept, loss in lines:
        load_weights(model, str(runs / 'work' / 'spice' / f'epoch_{epoch}.pth'))
        x = model.data_preprocessor._normalize(images)
        acc = [clustering_metrics(truth, label.numpy())['acc'] for label in model.head_logits(x).argmax(2).T]
        own = clustering_metrics(truth, model.logits(x).argmax(1).numpy())['acc']
        assert [low, high, kept] == [f'{value:.3f}' for value in (min(acc), max(acc), own)]
        assert int(index) == model.best_so_far.head_index and loss == f'{model.best_so_far.loss.item():.4f}'


def test_a_kept_network_below_the_heads_counts(runs, draw):
    """Where the network trains, too, the kept head is measured on the network that was kept with it."""
    draw('head_selection', spice(runs)[0], runs / 'work' / 'spice')
    cfg = open_config(str(spice(runs)[0]), options={'model.freeze': False})
    model, dataset = open_model(cfg), DATASETS.build(cfg.train_dataloader.dataset)
    with torch.no_grad():  # so that rows differ in their cluster
        images = torch.from_numpy(np.load(runs / 'images.npy'))[:, None] / 255.
        every = model.head_logits(model.data_preprocessor._normalize(images)).unbind(1)
        for head, logits in zip(model.head.heads, every):
            head.fc2.weight.div_(logits.std(0)[:, None])
            head.fc2.bias.sub_(logits.mean(0)).div_(logits.std(0))
    model.keep_if_better(torch.tensor([3., 2., 4.]))
    before = sys.modules['head_selection'].measure(model, dataset, 1, 32)
    assert before.kept == before.heads[1] and before.index == 1 and len(before.heads) == 3
    for parameter in model.backbone.parameters():
        torch.nn.init.zeros_(parameter)
    after = sys.modules['head_selection'].measure(model, dataset, 1, 32)
    assert after.kept == before.kept > max(after.heads)


def test_epochs_come_in_order_of_their_number(runs, draw, tmp_path):
    for number in (2, 10):
        shutil.copy(runs / 'work' / 'spice' / 'epoch_2.pth', tmp_path / f'epoch_{number}.pth')
    text, _ = draw('head_selection', spice(runs)[0], tmp_path)
    assert re.findall(r'epoch (\d+)', text) == ['2', '10']


def test_runs_without_heads_or_checkpoints(runs, draw, tmp_path):
    with pytest.raises(ValueError, match='Boost has no heads to choose from; take a run of SPICE or SCAN'):
        draw('head_selection', clusmatch(runs)[0], runs / 'work' / 'clusmatch')
    with pytest.raises(FileNotFoundError, match=r'holds no epoch_\*.pth'):
        draw('head_selection', spice(runs)[0], tmp_path)


def test_heads_are_refitted_from_several_starts(monkeypatch, capsys, tmp_path):
    monkeypatch.syspath_prepend(str(FOLDER))
    tool, config = importlib.import_module('refit_head'), str(FOLDER.parents[1] / 'configs' / 'cc_cnn_digits.py')
    monkeypatch.setattr(tool, 'DRAWS', 3)
    model = open_model(open_config(config))
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'cc.pth')
    monkeypatch.setattr(sys, 'argv', ['refit_head', config, str(tmp_path / 'cc.pth'), '--epochs', '1'])
    tool.main()
    found = re.findall(r'(.*): ACC (.*), loss (.*)', capsys.readouterr().out)
    assert [name for name, *_ in found] == ['trained head', *(f'from {start}' for start in (
        'random weights', "its own head's clusters", 'k-means clusters', 'classes'))]
    accuracy = {name: float(value) for name, value, _ in found}
    assert accuracy['from classes'] > max(accuracy['trained head'], accuracy['from random weights']) + 0.2
