"""Every sub-command of analyse.py, on runs of a second."""
import json
import re

import numpy as np
import pytest
import torch
from reduced import K, N, load

from mmcluster.functional.clustering.metrics import clustering_metrics
from mmcluster.visualization import compare

pytestmark = pytest.mark.usefixtures('engine')


@pytest.fixture
def analyse(draw, tmp_path):
    """(kind, arguments) -> what is printed, picture, arrays."""
    def run(kind, *arguments):
        text, picture = draw('analyse', kind, *arguments, '--arrays', tmp_path / 'arrays.npz')
        return text, picture, dict(np.load(tmp_path / 'arrays.npz'))
    return run


@pytest.fixture(scope='module')
def of(runs):
    """Arguments of the checkpoints."""
    return dict(spice=(runs / 'spice.py', runs / 'work' / 'spice'), propos=(runs / 'propos.py', runs / 'base.pth'),
                clusmatch=(runs / 'clusmatch.py', runs / 'work' / 'clusmatch' / 'epoch_1.pth'))


def test_layout_by_cluster_and_class(of, analyse):
    _, picture, arrays = analyse('layout', *of['propos'], '--max-samples', 40, '--perplexity', 5)
    assert arrays['places'].shape == (40, 2) and len(set(arrays['row'].tolist())) == 40
    assert set(arrays['clusters'].tolist()) <= set(range(K)) and picture.std() > 0
    assert analyse('layout', *of['spice'], '--max-samples', 20)[1].shape[0] > 2 * picture.shape[0], 'a row an epoch'


def test_curves_of_one_checkpoint(of, analyse):
    _, _, arrays = analyse('purity', *of['propos'], '--bins', 4)
    assert arrays['purity/purity'].shape == (4,) and arrays['purity/rows'].sum() == N
    text, _, arrays = analyse('preservation', *of['propos'], '--sigmas', 0, 100, '--draws', 2)
    assert arrays['rate/rate'][0] == 1 > arrays['rate/rate'][1] and 'sigma' in text
    _, _, arrays = analyse('sizes', *of['clusmatch'])
    assert arrays['images/size'].sum() == N and arrays['images/class_size'].sum() == N


def test_curves_over_epochs(of, analyse):
    text, _, arrays = analyse('steadiness', *of['spice'])
    assert arrays['epoch'].tolist() == [1, 2, 3] and text.count('std') == 3
    assert ((arrays['std'] > 0) & (arrays['imbalance'] <= 1)).all()
    target = load(of['clusmatch'][1])['state_dict']['bank.target']
    rows, truth = (target >= 0).numpy(), np.load(of['propos'][1].parent / 'labels_None.npy')
    _, _, arrays = analyse('noise', *of['clusmatch'])
    acc = clustering_metrics(truth[rows], target.numpy()[rows])['acc']
    assert arrays['share'] == pytest.approx(rows.mean()) and arrays['noise'] == pytest.approx(1 - acc)


def test_pseudo_labels_and_one_image_over_epochs(of, analyse):
    _, _, arrays = analyse('confident', *of['spice'], '--source', 'head', '--threshold', 0)
    assert arrays['share'].tolist() == [1, 1, 1] and ((arrays['accuracy'] > 0) & (arrays['accuracy'] <= 1)).all()
    _, _, arrays = analyse('scores', *of['spice'], '--source', 'head', '--row', 7)
    assert np.allclose(sum(arrays[f'cluster {k}'] for k in range(K)), 1, atol=1e-5)


def test_pictures(of, analyse):
    text, picture, arrays = analyse('montage', *of['clusmatch'], '--count', 3, '--side', 8)
    assert arrays['row'].shape == (K, 3) and picture.shape == (K * 12, 3 * 12, 3) and text.count('cluster') == K
    kept = analyse('montage', *of['clusmatch'], '--kept', '--how', 'farthest', '--count', 2)[2]['row']
    target = load(of['clusmatch'][1])['state_dict']['bank.target']
    assert all((target[row[row >= 0]] == cluster).all() for cluster, row in enumerate(kept))
    text, _, arrays = analyse('nearest', *of['propos'], '--rows', 3, 5, '--count', 4)
    assert arrays['row'].shape == (2, 5) and arrays['row'][:, 0].tolist() == [3, 5] and '3: ' in text
    plain, noisy = arrays['row'], analyse('nearest', *of['propos'], '--rows', 3, 5, '--count', 2, '--sigma', 1e-7)[2]['row']
    assert (noisy[:, 1:] == plain[:, 1:2]).all() and noisy.shape == (2, 4), 'a little noise changes no neighbour'


def test_images_that_changed_between_stages(of, analyse, runs):
    base = of['propos'][1]
    other = load(base)
    name = next(name for name, value in other['state_dict'].items() if 'teacher' in name and value.dim() == 4)
    torch.manual_seed(0)
    other['state_dict'][name] = torch.randn_like(other['state_dict'][name])
    torch.save(other, runs / 'other.pth')
    text, _, arrays = analyse('changed', of['propos'][0], runs / 'other.pth', base)
    truth = np.load(runs / 'labels_None.npy')
    assert (arrays['after'] == truth[arrays['row']]).all() and (arrays['before'] != arrays['after']).all()
    assert f'{len(arrays["row"])} images' in text and len(re.findall(r'\d+: -?\d -> \d', text)) == len(arrays['row']) > 0
    analyse('changed', of['clusmatch'][0], base, of['clusmatch'][1], '--before', runs / 'propos.py')
    with pytest.raises(ValueError, match='no image changed its cluster'):
        analyse('changed', of['propos'][0], base, base)
    with pytest.raises(ValueError, match='compares two checkpoints'):
        analyse('changed', *of['propos'])


def test_seeds_of_a_run_are_one_curve(analyse, tmp_path):
    for seed, values in enumerate(([0.1, 0.5], [0.3, 0.7], [0.2, 0.6])):
        folder = tmp_path / 'runs' / 'cc_abc' / f'seed_{seed}'
        folder.mkdir(parents=True)
        (folder / 'metrics.jsonl').write_text(''.join(
            json.dumps({'epoch': epoch, 'head/acc': value}) + '\n' for epoch, value in enumerate(values, 1)))
    text, picture, arrays = analyse('curves', *sorted((tmp_path / 'runs' / 'cc_abc').iterdir()), '--metrics', 'head/acc')
    assert '| cc_abc | head/acc | 2 | 0.6000 | 0.1000 | 3 |' in text and picture.std() > 0
    assert arrays['cc_abc head/acc/values'].shape == (3, 2)
    assert '| 3 |' in analyse('curves', tmp_path / 'runs' / 'cc_abc', '--metrics', 'head/acc')[0]
    with pytest.raises(ValueError, match=r"no metric 'kmeans/acc'; it has \['head/acc'\]"):
        analyse('curves', tmp_path / 'runs' / 'cc_abc')
    with pytest.raises(FileNotFoundError, match='hold no metrics.jsonl'):
        analyse('curves', tmp_path / 'runs')


def test_runs_of_one_name_are_two_curves(analyse, tmp_path):
    for recipe, value in (('on_propos', 0.9), ('on_moco', 0.5)):
        (tmp_path / recipe / 'clusmatch').mkdir(parents=True)
        (tmp_path / recipe / 'clusmatch' / 'metrics.jsonl').write_text(json.dumps({'epoch': 1, 'head/acc': value}) + '\n')
    places = [tmp_path / recipe for recipe in ('on_propos', 'on_moco')]
    text, _, arrays = analyse('curves', *places, '--metrics', 'head/acc')
    assert {name: arrays[f'{name}/clusmatch head/acc/values'].item() for name in ('on_propos', 'on_moco')} == dict(
        on_propos=0.9, on_moco=0.5) and '| on_moco/clusmatch |' in text
    (places[1] / 'seed_1').mkdir()
    (places[1] / 'seed_1' / 'metrics.jsonl').write_text(json.dumps({'epoch': 2, 'head/acc': 1}) + '\n')
    with pytest.raises(ValueError, match='at no common epoch'):
        compare([str(places[1] / 'clusmatch'), str(places[1] / 'seed_1')], 'head/acc')


def test_checkpoints_of_one_name_are_drawn_both(of, analyse, tmp_path):
    config, base = of['propos']
    other = tmp_path / 'other' / base.name
    other.parent.mkdir()
    other.write_bytes(base.read_bytes())
    _, _, arrays = analyse('sizes', config, base, other)
    assert arrays['other/base/size'].sum() == N and len({name.rpartition('/')[0] for name in arrays}) == 2
    folder = of['spice'][1]
    with pytest.raises(ValueError, match='several checkpoints are of one epoch, 1: give the work dir of one run'):
        analyse('steadiness', of['spice'][0], folder, folder)
