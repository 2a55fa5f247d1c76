"""Methods that learn from two views, and ClusMatch on them, trained on a few images: laws and resume."""
import json

import pytest
from killed import Killed
from reduced import N, differences, load, train, write_digits, write_recipe
from reduced_self_supervised import NETWORKS, boosted_cfg, learner_cfg

pytestmark = pytest.mark.usefixtures('engine')
TAKEN_OVER = {'backbone', 'neck', 'head', 'teacher', 'bank'}


def weights(path):
    return {part: load(path)[part] for part in ('state_dict', 'optimizer')}


def run_recipe(folder, name, permute=None):
    data = write_digits(folder, permute)
    stages = {name: learner_cfg(name, '', data), 'clusmatch': boosted_cfg(name, '', data)}
    return {stage: weights(path) for stage, path in train(write_recipe(folder, stages)).items()}


def metrics(work):
    return json.loads((work / 'metrics.jsonl').read_text().splitlines()[-1])


@pytest.mark.parametrize('name', NETWORKS)
def test_the_recipe_and_permuted_labels(name, tmp_path):
    """ClusMatch goes on from what the method deploys, and ground truth has no part in any weight."""
    stages = run_recipe(tmp_path / 'first', name)
    first, second = (stage['state_dict'] for stage in stages.values())
    assert {key.split('.')[0] for key in second} >= TAKEN_OVER and (second['bank.target'] >= 0).any()
    if 'pcl' in name:
        assert (first['bank.granular'] >= 0).all() and first['granularities.counts'].sum() == 2 * N
    assert differences(stages, run_recipe(tmp_path / 'second', name, permute=1)) == []
    seen = [metrics(tmp_path / run / 'work' / name) for run in ('first', 'second')]
    assert 'kmeans/acc' in seen[0] and seen[0] != seen[1], 'the labels that metrics saw were permuted'


@pytest.mark.parametrize('name', NETWORKS)
def test_interrupted_equals_uninterrupted(name, tmp_path, kill):
    def make(folder):
        return learner_cfg(name, tmp_path / folder, write_digits(tmp_path))
    whole = train(make('whole'))['train']
    assert load(whole)['meta']['iter'] == 9
    for i, iteration in enumerate((4, 7)):
        kill(iteration)
        with pytest.raises(Killed):
            train(make('parts'), resume=bool(i))
    kill(None)
    assert differences(weights(whole), weights(train(make('parts'), resume=True)['train'])) == []
