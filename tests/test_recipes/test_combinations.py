"""Bases, boosters and data sets that no shipped recipe brings together: every stage starts, with one K and one network."""
import json
import re

import pytest
from mmengine.config import Config

from mmcluster.recipes.stages import check_stages, stage_config
from mmcluster.registry import MODELS

pytestmark = pytest.mark.usefixtures('engine')
BASES = dict(
    cc=['cc/r34'], cc_signs=['cc/cnn_sign_digits'], pici=['pici/vit_small'], propos=['propos/r18'],
    propos_digits=['propos/cnn_digits'], pici_digits=['pici/vit_digits'], moco_digits=['moco/cnn_digits'])
ENLARGED = ['boosters/slow_backbone', 'select/by_head', 'views/enlarged_weak_strong']
COMBINATIONS = [
    ('folder64', 'cc', ['boosters/boost', 'losses/softmatch', *ENLARGED], 10),
    ('cifar20', 'cc', ['boosters/boost', 'losses/mutexmatch', *ENLARGED], 20),
    ('stl10', 'cc', ['boosters/clusmatch', *ENLARGED], 10),
    ('aid', 'pici', ['boosters/boost', 'losses/flexmatch', 'pici/boosted'], 30),
    ('photographs', 'pici', ['boosters/fixmatch', 'pici/boosted'], 10),
    ('sign_digits', 'cc_signs', ['boosters/boost', 'losses/freematch', 'cc/boosted_sign_digits'], 10),
    ('cifar20', 'propos', ['boosters/boost', 'losses/adamatch', 'select/by_embedding', 'views/weak_strong'], 20),
    ('digits', 'propos_digits', ['boosters/boost', 'boosters/digits', 'losses/mixmatch'], 10),
    ('mnist', 'pici_digits', ['boosters/boost', 'boosters/digits', 'losses/freematch'], 10),
    ('mnist', 'moco_digits', ['boosters/clusmatch', 'boosters/digits'], 10),
    ('mnist_rgb', 'propos', ['boosters/fixmatch', 'select/by_embedding', 'views/weak_strong'], 10)]


@pytest.mark.parametrize('data, base, booster, num_clusters', COMBINATIONS,
                         ids=['-'.join([data, base, booster[1]]) for data, base, booster, _ in COMBINATIONS])
def test_every_stage_starts_with_one_number_of_clusters_and_one_network(data, base, booster, num_clusters):
    stages = dict(base=dict(parts=BASES[base]), booster=dict(on='base', parts=booster))
    cfg = Config(dict(data=f'data/{data}', stages=stages, work_dir='unused'))
    assert check_stages(cfg) == ['base', 'booster']
    first, second = (stage_config(cfg, name, dict(base='base.pth')) for name in stages)
    for stage in (first, second):
        assert set(re.findall(r'"num_clusters": (\d+)', json.dumps(stage.to_dict()))) == {str(num_clusters)}
    scale, other = ({key: stage.model.data_preprocessor[key] for key in ('mean', 'std')} for stage in (first, second))
    assert scale == other, 'a network sees pixels in one scale'
    assert (scale['std'] == [255.] * 3) is (first.model.type == 'CC'), 'and CC its own, whatever the data set says'
    assert second.model.base.backbone.type == first.model.backbone.type
    assert second.model.base.init_cfg.checkpoint == 'base.pth'
    second.model.bank = dict(num_samples=4)
    assert MODELS.build(second.model).head.num_clusters == num_clusters


@pytest.mark.parametrize('base, method', [('dec/mnist', 'dec/method'), ('dec/mnist', 'dec/idec'),
                                          ('simclr/cnn_digits', 'dec/method')])
def test_a_booster_on_dec_starts_with_its_head(base, method):
    """Centres and the scale of pixels travel on; DEC itself takes any base, IDEC an autoencoder."""
    stages = dict(base=dict(parts=[base]), dec=dict(on='base', parts=[method]),
                  booster=dict(on='dec', parts=['boosters/clusmatch', 'select/by_head', 'views/weak_strong_digits']))
    cfg = Config(dict(data='data/mnist', stages=stages, work_dir='unused'))
    assert check_stages(cfg) == ['base', 'dec', 'booster']
    last = stage_config(cfg, 'booster', dict(dec='dec.pth'))
    assert last.model.data_preprocessor.std == ([50.] if base == 'dec/mnist' else [78.7])
    last.model.bank = dict(num_samples=4)
    model = MODELS.build(last.model)
    assert type(model.head).__name__ == 'StudentHead' and model.head.centers.requires_grad
    assert model.head.num_clusters == 10
