"""Methods and boosters on stored views of features: the same parts as on images, one step of each and more."""
import numpy as np
import pytest
import torch
from mmengine.config import Config
from reduced import differences, load

from mmcluster.recipes.recipe import run

pytestmark = pytest.mark.usefixtures('engine')
ONE = dict(epochs=1, val_interval=1)
NETWORK = dict(width=8, embed=8)
SMALL = dict(labelled=8, unlabelled=16, length=3)
STAGES = dict(
    temi=dict(parts=['temi/method', 'features/whitened'],
              facts=dict(ONE, hidden=8, bottleneck=6, heads=2, num_neighbors=4, batch=20, warm_up=1)),
    turtle=dict(parts=['turtle/method', 'features/whitened'], facts=dict(ONE, batch=60, length=2)),
    scan=dict(parts=['scan/cluster_heads', 'views/stored', 'features/whitened'],
              facts=dict(ONE, mined='embed', num_neighbors=4, batch=20),
              options=dict(hooks=dict(neighbors=dict(network=None)), model=dict(freeze=True))),
    spice=dict(parts=['spice/heads', 'views/stored', 'features/whitened'], facts=dict(ONE, rows=60),
               options=dict(model=dict(batch_size=20), train_dataloader=dict(sampler=dict(length=1)))),
    clusmatch=dict(on='temi', parts=['boosters/clusmatch', 'select/by_embedding', 'views/stored_weak_strong'],
                   facts=dict(ONE, **SMALL)),
    fixmatch=dict(on='scan', parts=['boosters/fixmatch', 'select/by_head', 'views/stored_weak_strong'], facts=dict(ONE, **SMALL)),
    asd=dict(on='scan', parts=['asd/on_host', 'views/stored_weak_strong', 'schedules/scan', 'asd/fast_labels'],
             facts=dict(ONE, decay=0.99, map_interval=2, labelled=12, unlabelled=16),
             options=dict(train_dataloader=dict(sampler=dict(length=3)))))


@pytest.fixture
def features(tmp_path):
    """Three groups, 60 images, five views; ``permute`` shuffles the labels that metrics see."""
    random, label = np.random.RandomState(0), np.arange(60) % 3
    rows = 3 * random.randn(3, 12)[label][:, None] + random.randn(60, 1, 12) + 0.3 * random.randn(60, 5, 12)
    np.save(tmp_path / 'x.npy', rows.astype(np.float16))
    np.save(tmp_path / 'y.npy', label)
    np.save(tmp_path / 'other.npy', random.permutation(label))
    return tmp_path


def train(folder, name, labels='y'):
    facts = dict(features=str(folder / 'x.npy'), labels=str(folder / f'{labels}.npy'), columns=12, num_clusters=3)
    base = STAGES[name].get('on')
    stages = {key: dict(STAGES[key], options=dict(STAGES[key].get('options', {}), network=NETWORK))
              for key in [*[base] * bool(base), name]}
    return load(run(Config(dict(data='data/features', facts=facts, stages=stages,
                                work_dir=str(folder / f'{name}_{labels}'))))[name])


@pytest.mark.parametrize('name', STAGES)
def test_it_trains(features, name):
    state = train(features, name)['state_dict']
    assert all(value.isfinite().all() for key, value in state.items()
               if value.is_floating_point() and not key.endswith('best_so_far.loss'))
    assert state['backbone.fc.weight'].shape == (8, 12) if 'backbone.fc.weight' in state else name == 'none'


def test_labels_reach_metrics_alone(features):
    first, second = (train(features, 'clusmatch', labels) for labels in ('y', 'other'))
    assert differences(first['state_dict'], second['state_dict']) == []
    assert torch.equal(first['state_dict']['bank.target'], second['state_dict']['bank.target'])
