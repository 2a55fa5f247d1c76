"""Composing: merging, facts, networks of earlier stages, named hooks and metrics."""
import copy

import pytest

from mmcluster.recipes import PartReader, compose, facts_of
from mmcluster.recipes.compose import strip_initialisers
from mmcluster.recipes.merging import merge

PARTS = {
    'data': dict(facts=dict(k=10, mean=[1., 2.], size=32), loader=dict(size='{size}', source='{source}')),
    'source': dict(facts=dict(source=dict(type='Files', root='{root}'), root='data')),
    'net': dict(model=dict(backbone=dict(type='Net', depth=18, init_cfg=dict(type='Kaiming'))),
                network=dict(width=512)),
    'method': dict(
        parts=['net'], network=dict(embed=64),
        model=dict(type='Method', k='{k}', neck=dict(width='{width}', out='{embed}', init='small'),
                   data_preprocessor=dict(mean='{mean}', views=[['{size}']])),
        hooks=dict(kmeans=dict(type='KMeansHook', k='{k}'), late=dict(type='LateHook')),
        metrics=dict(kmeans=dict(type='Metric', k='{k}'))),
    'booster': dict(
        model=dict(type='Boost', base='{on.network}', head=dict(width='{embed}', k='{k}')),
        hooks=dict(select=dict(type='SelectHook', source='{on.model}'), kmeans=dict(type='KMeansHook', k='{k}')),
        metrics=dict(kmeans=dict(type='Metric'), head=dict(type='Metric', source='head'))),
    'second': dict(model=dict(type='Second', base='{on.network}', head=None),
                   hooks=dict(ask=dict(type='AskHook', source='{base.model}'))),
    'quiet': dict(hooks=dict(late=None), metrics=dict(kmeans=None)),
    'other_net': dict(model=dict(backbone=dict(_delete_=True, type='Wide')), network=dict(width=640)),
    'other_source': dict(facts=dict(source=dict(_delete_=True, type='Array'))),
    'rows': dict(facts=dict(each=4, rows='{each} * {k}'), rows=['{rows}']),
    'circle': dict(parts=['ring']), 'ring': dict(parts=['circle']),
    'typeless': dict(hooks=dict(kmean=dict(k=3))),
}


def read(name):
    return copy.deepcopy(PARTS[name])


def two(**booster):
    return dict(base=dict(parts=['data', 'source', 'method']),
                booster=dict(dict(parts=['data', 'source', 'booster'], on='base'), **booster))


def test_a_stage_is_its_parts_merged_with_facts_filled_in():
    assert compose(two(), 'base', read) == dict(
        loader=dict(size=32, source=dict(type='Files', root='data')),
        model=dict(type='Method', k=10, backbone=dict(type='Net', depth=18, init_cfg=dict(type='Kaiming')),
                   neck=dict(width=512, out=64, init='small'), data_preprocessor=dict(mean=[1., 2.], views=[[32]])),
        custom_hooks=[dict(type='KMeansHook', k=10), dict(type='LateHook')],
        val_evaluator=dict(type='Metric', k=10), test_evaluator=dict(type='Metric', k=10))


def test_a_network_of_an_earlier_stage_comes_bare_with_its_checkpoint_and_its_facts():
    cfg = compose(two(), 'booster', read)
    network = dict(type='Method', k=10, backbone=dict(type='Net', depth=18), neck=dict(width=512, out=64),
                   init_cfg=dict(type='Pretrained', checkpoint='{base}'))
    assert cfg['model'] == dict(type='Boost', base=network, head=dict(width=64, k=10))
    assert cfg['custom_hooks'][0]['source'] == dict(network, data_preprocessor=dict(mean=[1., 2.]))
    assert [metric.get('source') for metric in cfg['val_evaluator']] == [None, 'head']


def test_what_a_network_fixes_goes_before_a_data_set_in_every_stage_and_a_recipe_before_both():
    def read_large(name):
        return dict(network=dict(size=224, mean=[0., 0.])) if name == 'large' else read(name)

    stages = two()
    stages['base']['parts'].append('large')
    base, booster = (compose(stages, name, read_large) for name in stages)
    assert base['loader']['size'] == booster['loader']['size'] == 224
    assert base['model']['data_preprocessor']['mean'] == [0., 0.]
    assert compose(stages, 'booster', read_large, dict(facts=dict(size=96)))['loader']['size'] == 96
    stages['base']['facts'] = dict(size=128)
    assert compose(stages, 'booster', read_large)['loader']['size'] == 128


def test_a_network_that_stands_on_another_brings_its_parts_along():
    stages = dict(two(), second=dict(parts=['data', 'second'], on='booster'))
    stages['second']['parts'] += ['source']
    cfg = compose(stages, 'second', read)
    assert cfg['model']['base'] == dict(
        type='Boost', backbone=dict(type='Net', depth=18), neck=dict(width=512, out=64), head=dict(width=64, k=10),
        init_cfg=dict(type='Pretrained', checkpoint='{booster}'))
    asked = cfg['custom_hooks'][0]['source']
    assert asked['type'] == 'Method' and asked['init_cfg']['checkpoint'] == '{base}'
    assert asked['data_preprocessor'] == dict(mean=[1., 2.])


def test_of_several_heads_the_chosen_one_goes_on():
    """The stage itself names them all, a stage on a booster that went on from it only one."""
    one = dict(type='Head', k=3)
    stages = dict(base=dict(parts=['data', 'source', 'method'],
                            options=dict(model=dict(head=dict(type='Heads', num=5, head=one)))),
                  booster=dict(parts=['second'], on='base'), last=dict(parts=['second'], on='booster'))
    assert compose(stages, 'booster', read)['model']['base']['head'] == dict(type='Heads', num=5, head=one)
    assert compose(stages, 'last', read)['model']['base']['head'] == one


def test_what_is_decided_once_moves_everywhere():
    stages = two()
    stages['base']['facts'] = dict(k=7)
    stages['base']['parts'].append('other_net')
    cfg = compose(stages, 'base', read)
    assert cfg['model']['k'] == cfg['custom_hooks'][0]['k'] == cfg['val_evaluator']['k'] == 7
    assert cfg['model']['neck']['width'] == 640 and cfg['model']['backbone'] == dict(type='Wide')
    assert compose(stages, 'booster', read)['model']['base']['neck']['width'] == 640


def test_shared_settings_and_options_come_last_in_this_order():
    stages = two(options=dict(facts=dict(size=8), hooks=dict(kmeans=dict(k=5)), seed=3))
    cfg = compose(stages, 'booster', read, dict(seed=1, log='all', facts=dict(size=16)))
    assert cfg['loader']['size'] == 8 and cfg['seed'] == 3 and cfg['log'] == 'all'
    assert cfg['custom_hooks'][1] == dict(type='KMeansHook', k=5)


def test_a_fact_of_several_entries_is_merged_or_replaced():
    stages = two(facts=dict(source=dict(root='elsewhere')))
    assert compose(stages, 'booster', read)['loader']['source'] == dict(type='Files', root='elsewhere')
    stages['booster']['parts'].append('other_source')
    stages['booster'].pop('facts')
    assert compose(stages, 'booster', read)['loader']['source'] == dict(type='Array')


def test_hooks_and_metrics_are_left_out_by_none():
    stages = two()
    stages['base']['parts'].append('quiet')
    cfg = compose(stages, 'base', read)
    assert cfg['custom_hooks'] == [dict(type='KMeansHook', k=10)] and 'val_evaluator' not in cfg


def test_composing_changes_nothing_that_it_was_given():
    stages, before = two(options=dict(facts=dict(size=8))), copy.deepcopy(PARTS)
    kept = copy.deepcopy(stages)
    first = compose(stages, 'booster', read)
    first['model']['base']['neck']['width'] = 0
    first['custom_hooks'].clear()
    assert compose(stages, 'booster', read)['model']['base']['neck']['width'] == 512
    assert stages == kept and before == PARTS


@pytest.mark.parametrize('change, error, message', [
    (dict(parts=['data', 'booster']), ValueError, "needs the fact 'source'"),
    (dict(facts=dict(kk=3)), ValueError, r"nothing uses the fact 'kk'.*used are"),
    (dict(options=dict(facts=dict(sise=3))), ValueError, "nothing uses the fact 'sise'.*did you mean 'size'"),
    (dict(on='bass'), ValueError, "goes on from 'bass', which is no other stage.*did you mean 'base'"),
    (dict(on='booster'), ValueError, 'no other stage'),
    (dict(on=None), ValueError, 'needs the network of another stage: give it on='),
    (dict(parts=['circle']), ValueError, 'circle -> ring -> circle'),
    (dict(parts=['data', 'source', 'booster', 'typeless']), ValueError,
     "hooks.kmean has no type.*did you mean 'kmeans'")])
def test_slips_are_named(change, error, message):
    with pytest.raises(error, match=message):
        compose(two(**change), 'booster', read)


def test_a_fact_that_would_change_nothing_is_refused_where_a_stage_says_it():
    """A part may state more than one stage uses; who changes it there expects an effect."""
    def read_more(name):
        return dict(facts=dict(spare=1)) if name == 'more' else read(name)

    stages = two()
    stages['base']['parts'].append('more')
    assert compose(stages, 'base', read_more) == compose(two(), 'base', read)
    stages['base']['facts'] = dict(spare=2)
    with pytest.raises(ValueError, match="stage 'base': nothing uses the fact 'spare'; used are"):
        compose(stages, 'base', read_more)
    stages['base'].update(facts=dict(k=2), options=dict(metrics=None, hooks=None, model=dict(k=3, neck=None)))
    compose(stages, 'base', read_more)          # an option took the place of what the parts make of it
    stages['base'].update(facts=dict(each=2), options=dict(facts=dict(rows=8)))
    stages['base']['parts'].append('rows')
    compose(stages, 'base', read_more)          # of a fact that is made of it, too
    stages = two(facts=dict(width=640))
    stages['base'].update(facts=dict(embed=32))    # it also travels with the network
    assert compose(stages, 'booster', read_more)['model']['head']['width'] == 32


def test_stages_stand_in_any_order_but_in_no_circle():
    stages = two()
    assert compose(dict(reversed(stages.items())), 'booster', read) == compose(stages, 'booster', read)
    stages['base'].update(on='booster')
    with pytest.raises(ValueError, match='go on from each other: booster -> base -> booster'):
        compose(stages, 'booster', read)


def test_the_facts_of_a_stage():
    assert facts_of(two(), 'base', read) == {'k', 'mean', 'size', 'source', 'root', 'width', 'embed'}
    assert facts_of(two(), 'booster', read) == facts_of(two(), 'base', read)


def test_a_stage_of_one_piece_does_not_tell_its_network():
    stages = dict(two(), base=dict(config='a_file.py'))
    with pytest.raises(ValueError, match="which has no parts"):
        compose(stages, 'booster', read)


def test_merging():
    assert merge(dict(a=dict(b=1, c=[1, 2]), d=1), dict(a=dict(c=[3]), e=None)) == dict(a=dict(b=1, c=[3]), d=1, e=None)
    assert merge(dict(a=dict(b=1)), dict(a=dict(_delete_=True, c=2)))['a'] == dict(_delete_=True, c=2)


def test_initialisers_go_at_every_depth():
    value = dict(a=[dict(init_cfg=1, b=2)], init='x', c=(dict(init=1),))
    assert strip_initialisers(value) == dict(a=[dict(b=2)], c=({},))


# ---- files

def test_parts_are_found_beside_the_recipe_first(tmp_path):
    (tmp_path / 'parts' / 'data').mkdir(parents=True)
    (tmp_path / 'parts' / 'data' / 'digits.py').write_text("facts = dict(size=28)\n")
    (tmp_path / 'mine.py').write_text("a = 1\n")
    reader = PartReader(tmp_path)
    assert reader.read('data/digits') == dict(facts=dict(size=28))
    assert reader.read('mine') == reader.read('mine.py') == dict(a=1)
    assert PartReader().read('data/digits')['facts']['size'] == 8
    with pytest.raises(FileNotFoundError, match="no part 'data/digit'.*did you mean 'data/digits'"):
        reader.read('data/digit')


def test_a_part_that_was_read_is_not_changed_by_its_reader(tmp_path):
    (tmp_path / 'mine.py').write_text("a = dict(b=[1])\n")
    reader = PartReader(tmp_path)
    reader.read('mine')['a']['b'].append(2)
    assert reader.read('mine') == dict(a=dict(b=[1]))


def test_a_part_of_a_package(tmp_path, monkeypatch):
    (tmp_path / 'my_parts').mkdir()
    (tmp_path / 'my_parts' / '__init__.py').write_text('')
    (tmp_path / 'my_parts' / 'sharp.py').write_text("facts = dict(size=3)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert PartReader().read('my_parts:sharp') == dict(facts=dict(size=3))
    with pytest.raises(FileNotFoundError, match="the package my_parts has no part 'blunt'"):
        PartReader().read('my_parts:blunt')


def test_a_fact_that_nothing_uses_here_may_stand_beside_its_opposite():
    parts = dict(both=dict(facts=dict(labelled=3, unlabelled=4), rows='{unlabelled}'))
    assert compose(dict(one=dict(parts=['both'])), 'one', lambda name: copy.deepcopy(parts[name])) == dict(rows=4)
    parts['both']['facts'] = dict(unlabeled=3, unlabelled=4)
    with pytest.raises(ValueError, match="nothing uses the fact 'unlabeled'.*did you mean 'unlabelled'"):
        compose(dict(one=dict(parts=['both'])), 'one', lambda name: copy.deepcopy(parts[name]))


@pytest.mark.parametrize('facts, rows', [({}, 40), (dict(k=3), 12), (dict(each=2), 20), (dict(rows=7), 7)])
def test_a_product_of_two_facts(facts, rows):
    """It follows either one; a number takes its place."""
    stage = dict(parts=['data', 'source', 'rows'], facts=facts, options=dict(a='{each} * 4', b='{each}x{k}'))
    found = compose(dict(one=stage), 'one', read)
    assert found['rows'] == [rows] and (found['a'], found['b']) == ('{each} * 4', '{each}x{k}')


def test_a_product_of_what_is_no_number():
    for facts, problem in (dict(each=None), 'is None \\* 10; both facts must be numbers'), (
            dict(rows='{ech} * {k}'), "needs the fact 'ech' .did you mean 'each'"):
        with pytest.raises(ValueError, match=f"stage 'one'.*{problem}"):
            compose(dict(one=dict(parts=['data', 'source', 'rows'], facts=facts)), 'one', read)


@pytest.mark.parametrize('kind, names', [
    ('custom_hooks', r"hooks\.NAME; here are \['kmeans', 'late'\]"),
    ('test_evaluator', r"metrics\.NAME; here are \['kmeans'\]")])
def test_entries_of_lists_are_named_not_numbered(kind, names):
    with pytest.raises(ValueError, match=f"stage 'base': {kind} has no numbered entries .* as {names}"):
        compose(two(), 'base', read, {kind: {'0': dict(source='head')}})
    assert compose(two(), 'base', read, {kind: [dict(type='Other')]})[kind][0] == dict(type='Other')


def test_a_dict_without_type_changes_entries_of_a_fact():
    stages = two()
    cfg = compose(stages, 'base', read, dict(loader=dict(source=dict(labels='a.csv'))))
    assert cfg['loader']['source'] == dict(type='Files', root='data', labels='a.csv')
    stages['base']['options'] = dict(loader=dict(source=dict(root='elsewhere')))
    assert compose(stages, 'base', read)['loader']['source'] == dict(type='Files', root='elsewhere')
    stages['base']['options'] = dict(loader=dict(source=dict(type='Array')))
    assert compose(stages, 'base', read)['loader']['source'] == dict(type='Array'), 'with a type it takes the place'
    chained = merge(dict(tested='{source}'), dict(tested=dict(labels='a.csv')))
    parts = {**PARTS, 'tested': dict(facts=chained, held='{tested}')}
    cfg = compose(dict(base=dict(parts=['data', 'source', 'tested'])), 'base', lambda name: copy.deepcopy(parts[name]))
    assert cfg['held'] == dict(type='Files', root='data', labels='a.csv') and cfg['loader']['source'].get('labels') is None
    cfg = compose(dict(base=dict(parts=['data', 'source'], options=dict(loader=dict(size=dict(h=1))))), 'base', read)
    assert cfg['loader']['size'] == dict(h=1), 'a number has no entries'
    stages['base']['options'] = dict(loader=dict(source=dict(type='Array')))
    cfg = compose(stages, 'base', read, dict(loader=dict(source=dict(labels='a.csv'))))
    assert cfg['loader']['source'] == dict(type='Array'), 'also of entries'


@pytest.mark.parametrize('stage, said', [
    (dict(facts=dict(k='ten')), "facts.k must be a number, such as 10, got 'ten'"),
    (dict(options=dict(network=dict(width='wide'))), "facts.width must be a number, such as 512, got 'wide'")])
def test_slips_that_would_be_silent_or_end_in_a_library(stage, said):
    stages = two()
    stages['base'].update(stage)
    with pytest.raises(ValueError, match=said):
        compose(stages, 'base', read)
