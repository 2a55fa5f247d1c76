"""SimCLR, SCAN's clustering step and its self-labelling as one recipe of a few digits: laws, resume, no labels."""
import json
import shutil

import pytest
import torch
from killed import Killed
from reduced import K, N, differences, load, train, write_digits, write_recipe
from reduced_scan import scan_cfg, selflabel_cfg, simclr_cfg

from mmcluster.engine.hooks import NeighborHook, SeedHook
from mmcluster.recipes import recipe

pytestmark = pytest.mark.usefixtures('engine')
STAGES = dict(simclr=simclr_cfg, scan_cluster=scan_cfg, scan_selflabel=selflabel_cfg)


def weights(path):
    return {part: load(path)[part] for part in ('state_dict', 'optimizer')}


def run_recipe(folder, permute=None, labels=True):
    data = write_digits(folder, permute)
    data = data if labels else dict(array=data['array'])
    stages = {name: make('', data) for name, make in STAGES.items()}
    for cfg in stages.values():
        if not labels:
            cfg.train_cfg.pop('val_interval')
            cfg.merge_from_dict(dict(val_dataloader=None, val_evaluator=None, val_cfg=None, test_dataloader=None,
                                     test_evaluator=None, test_cfg=None))
    return {name: weights(path) for name, path in train(write_recipe(folder, stages)).items()}


@pytest.fixture(scope='module')
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp('original')
    return run_recipe(folder), folder / 'work'


def metrics(work, stage='scan_selflabel'):
    return json.loads((work / stage / 'metrics.jsonl').read_text().splitlines()[-1])


def test_every_stage_trains(original):
    stages, work = original
    assert list(stages) == list(STAGES)
    simclr, scan, selflabel = (stage['state_dict'] for stage in stages.values())
    assert scan['bank.neighbors'].shape == (N, 5) and torch.equal(scan['bank.neighbors'][:, 0], torch.arange(N))
    first = 'backbone.stages.0.0.conv.weight'
    assert len({tuple(state[first].flatten().tolist()) for state in (simclr, scan, selflabel)}) == 3
    assert torch.isfinite(scan['best_so_far.loss']) and scan['best_so_far.loss'] < 0
    assert {key.split('.')[0] for key in selflabel} == {'backbone', 'head', 'bank'}
    assert 'kmeans/acc' in metrics(work, 'simclr') and 'head/acc' in metrics(work, 'scan_cluster')
    assert metrics(work)['head/acc'] > 1 / K


def test_self_labelling_starts_from_the_head_that_was_kept(original, tmp_path):
    _, work = original
    data = write_digits(tmp_path)
    scan = str(work / 'scan_cluster' / 'epoch_3.pth')
    cfg = selflabel_cfg(tmp_path / 'work', data, scan)
    recipe.bind_data(cfg)
    runner = recipe.build_runner(cfg)
    runner.model.init_weights()
    kept = load(scan)['state_dict']
    for part in ('backbone', 'head'):
        own = {key: value for key, value in runner.model.state_dict().items() if key.startswith(part)}
        assert own and differences(own, {key: kept[f'best_so_far.{key}'] for key in own}) == []
    recipe.close(runner)


def test_permuted_labels_leave_the_weights_bit_identical(original, tmp_path):
    stages, work = original
    assert differences(stages, run_recipe(tmp_path, permute=1)) == []
    assert metrics(tmp_path / 'work') != metrics(work), 'the labels that metrics saw were permuted'


def test_images_without_labels(original, tmp_path):
    """The same weights again: nothing but metrics needs labels. What the last evaluation leaves is not there."""
    def trained(stages):
        return {name: {key: value for key, value in stage['state_dict'].items()
                       if key != 'bank.fingerprint' and not key.startswith('final_centers.')}
                for name, stage in stages.items()}

    found, wanted = trained(run_recipe(tmp_path, labels=False)), trained(original[0])
    assert differences(wanted, found) == []


@pytest.mark.parametrize('stage, options', [
    ('scan_cluster', dict()), ('scan_cluster', dict(freeze=True)), ('scan_selflabel', dict())])
def test_an_interrupted_run_goes_on_bit_for_bit(original, tmp_path, monkeypatch, stage, options):
    """The networks of earlier stages are gone by then, and nothing is mined again."""
    data, before = write_digits(tmp_path), dict(scan_cluster='simclr/epoch_4', scan_selflabel='scan_cluster/epoch_3')
    base = str(original[1] / f'{before[stage]}.pth')
    whole = train(STAGES[stage](tmp_path / 'whole', data, base, 3, **options))['train']
    shutil.copy(base, tmp_path / 'gone.pth')
    cfg = STAGES[stage](tmp_path / 'cut', data, str(tmp_path / 'gone.pth'), 3, **options)
    given = SeedHook.before_train_iter

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == (15 if stage == 'scan_cluster' else 4):
            raise Killed
        given(self, runner, batch_idx, data_batch)

    monkeypatch.setattr(SeedHook, 'before_train_iter', before_train_iter)
    with pytest.raises(Killed):
        train(cfg)
    monkeypatch.undo()
    (tmp_path / 'gone.pth').unlink()
    monkeypatch.setattr(NeighborHook, 'estimate', lambda *args: pytest.fail('it was mined again'))
    resumed = train(cfg, resume=True)['train']
    assert differences(weights(whole), weights(resumed)) == []
    assert load(whole)['meta']['iter'] == load(resumed)['meta']['iter'] == (36 if stage == 'scan_cluster' else 9)


def test_pairs_are_drawn_from_the_neighbors(original, tmp_path, monkeypatch):
    data = write_digits(tmp_path)
    seen = []
    given = SeedHook.before_train_iter

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        given(self, runner, batch_idx, data_batch)
        rows = runner.model.bank.neighbors[data_batch['anchor'].index]
        drawn = data_batch['neighbor'].index
        assert (rows == drawn[:, None]).any(1).all()
        seen.append((drawn == data_batch['anchor'].index).float().mean().item())

    monkeypatch.setattr(SeedHook, 'before_train_iter', before_train_iter)
    train(scan_cfg(tmp_path / 'work', data, str(original[1] / 'simclr' / 'epoch_4.pth'), num_workers=1))
    assert len(seen) == 36 and 0 < sum(seen) / len(seen) < 0.5


def test_more_neighbors_than_images_say_so(original, tmp_path):
    cfg = scan_cfg(tmp_path / 'work', write_digits(tmp_path), str(original[1] / 'simclr' / 'epoch_4.pth'),
                   num_neighbors=N)
    with pytest.raises(ValueError, match=f'{N} neighbours besides the image itself.*lower num_neighbors'):
        train(cfg)
