"""Two processes compute what one does, and hold the same state after every step."""
import importlib
import pickle

import pytest
import torch
import torch.multiprocessing as mp
from ddp_jobs import BANK_SIZE, RAGGED, bank_inputs
from ddp_pool import JOBS, attempt, work
from ddp_steps import ROWS
from reduced import K, differences, write_base, write_digits

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures('engine')]
BN_STATISTICS = ('running_mean', 'running_var', 'num_batches_tracked')
MODULES = ('ddp_steps', 'ddp_jobs', 'ddp_contrast', 'ddp_heads', 'ddp_ssl', 'ddp_scan', 'ddp_asd', 'ddp_cc', 'ddp_ruc',
           'ddp_pici', 'ddp_self_supervised', 'ddp_bases', 'ddp_gcc', 'ddp_dec', 'ddp_feature_heads', 'ddp_secu')
for module in MODULES:
    importlib.import_module(module)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """All jobs on two processes, started once."""
    path = tmp_path_factory.mktemp('ddp')
    write_base(path / 'base.pth', write_digits(path))
    mp.spawn(work, (2, path, MODULES), nprocs=2)
    return path


@pytest.fixture
def two(folder):
    """name -> the results of both processes."""

    def results(name):
        found = [pickle.loads((folder / f'{name}_{rank}.pkl').read_bytes()) for rank in (0, 1)]
        assert all(well for well, _ in found), next(text for well, text in found if not well)
        return [value for _, value in found]

    return results


@pytest.fixture
def one(tmp_path):
    """name -> the result of this process alone."""

    def result(name):
        well, value = attempt(JOBS[name], tmp_path)
        assert well, value
        return value

    return result


def unequal(states):
    """Names of what differs between two processes, BN running statistics apart."""
    return [name for name in differences(*states) if not name.endswith(BN_STATISTICS)]


def test_a_penalty_on_a_gradient_knows_the_rows_of_both_processes(one, two):
    """The two losses are equal, so the gradient is twice that of one process, and its square's four times."""
    assert torch.equal(torch.cat(two('second_derivative')), 4 * one('second_derivative'))


# ---- every buffer is equal

@pytest.mark.parametrize('method, moving', [
    ('propos', {'queue', 'queue_index', 'teacher.neck.fc2.weight', 'neck.fc2.weight'}),
    ('pcl', {'queue', 'granularities.prototypes', 'granularities.density', 'teacher.projector.fc2.weight'}),
    ('clusmatch', {'pseudo_label_loss.negative_thresholds', 'pseudo_label_loss.p_model', 'teacher.head.fc.weight'})])
def test_weights_and_buffers_are_equal_after_any_step(two, method, moving):
    ranks = two(f'train_{method}')
    steps = [states['step'] for states in ranks]
    assert moving <= set(differences(ranks[0]['first'], steps[0])), 'they might be equal because nothing happened'
    assert (steps[0]['bank.granular' if method == 'pcl' else 'bank.label'] >= 0).all()
    assert unequal(steps) == []
    assert differences(*steps), 'the ranks saw other images: their BN statistics differ'
    assert differences(*[states['last'] for states in ranks]) == [], 'and are shared at the end of an epoch'


def test_a_rank_local_write_is_found(two):
    assert unequal([states['step'] for states in two('train_with_local_write')])[-1:] == ['bank.label']


# ---- losses and gradients

def close(first, second, scale=1.):
    """Two dictionaries of tensors agree to rounding."""
    assert set(first) == set(second)
    for name, value in first.items():
        torch.testing.assert_close(value * scale if scale != 1 else value, second[name], rtol=2e-4, atol=2e-6, msg=lambda text: f'{name}: {text}')


@pytest.mark.parametrize('name', [name for name in JOBS if name.startswith('step_')])
def test_two_halves_give_the_losses_and_gradients_of_the_whole(one, two, name):
    whole, halves = one(name), two(name)
    mean = {key: sum(half['losses'][key] for half in halves) / 2 for key in whole['losses'] if key != 'feat_std'}
    close(mean, {key: value for key, value in whole['losses'].items() if key != 'feat_std'})
    for half in halves:
        close(half['gradients'], whole['gradients'])
        close(half['buffers'], whole['buffers'])
    assert all(value.abs().sum() > 0 for key, value in whole['gradients'].items() if key.endswith('fc2.weight'))
    if name.startswith('step_propos'):
        assert whole['losses']['loss_psl'] > 0 and whole['losses']['present_clusters'] >= K - 1
        assert len({half['losses']['loss_psl'].item() for half in halves}) == 1


def test_clusmatch_has_every_term(one):
    losses = one('step_clusmatch')['losses']
    terms = ('loss_sup', 'loss_ppl', 'loss_npl', 'loss_kpl', 'loss_fair')
    assert all(losses[term].abs() > 0 for term in terms) and 0 < losses['positive_share'] < 1


SSL_JOBS = ['fixmatch', 'flexmatch', 'freematch', 'freematch_quantile', 'softmatch', 'softmatch_per_class', 'adamatch',
            'mutexmatch', 'mixmatch']


@pytest.mark.parametrize('name', SSL_JOBS)
def test_semi_supervised_statistics_are_those_of_all_rows(one, two, name):
    """Something is masked, every term counts, and the state is equal to the bit on both processes."""
    result, halves = one(f'step_{name}'), two(f'step_{name}')
    losses = result['losses']
    terms = [key for key in losses if key.startswith('loss_')]
    assert len(terms) >= 2 and all(losses[key].abs() > 0 for key in terms)
    assert name == 'mixmatch' or 0 < losses['mask_share'] < 1
    states = [{key: value for key, value in half['buffers'].items() if 'pseudo' in key or 'bank' in key}
              for half in halves]
    assert differences(*states) == []
    assert any('pseudo' in key for key in states[0]) is (name not in ('fixmatch', 'mutexmatch', 'mixmatch'))


def test_the_local_gradient_of_scattering_is_a_half(one, two):
    whole = one('scatter_sum')
    assert any(value.abs().max() > 1e-4 for value in whole.values())
    close(one('scatter_local'), whole)
    for gradients in two('scatter_sum'):
        close(gradients, whole)
    for gradients in two('scatter_local'):
        close(gradients, whole, scale=2.)


def test_the_queue_holds_the_keys_of_both_processes(one, two):
    whole = one('step_moco')
    queue = whole['buffers']['queue']
    assert whole['buffers']['queue_pointer'] == ROWS and len(queue.t().unique(dim=0)) == queue.shape[1] == 2 * ROWS
    assert two('step_moco')[0]['losses']['loss_moco'] != two('step_moco')[1]['losses']['loss_moco'], 'own queries'
    assert len({half['losses']['loss_simclr'].item() for half in two('step_simclr')}) == 1, 'the whole loss on each'


def test_cc_compares_the_columns_of_all_processes(one, two):
    """Their halves would give another loss; each process has the whole one."""
    for name in ('step_cc', 'step_cc_instance_only'):
        assert len({half['losses']['loss_instance'].item() for half in two(name)}) == 1
    found = [half['losses'] for half in two('step_cc')]
    assert len({losses['loss_cluster'].item() for losses in found}) == 1
    assert found[0]['entropy_gap'].item() == pytest.approx(one('step_cc')['losses']['entropy_gap'].item(), rel=1e-3)


def test_tcl_labels_by_the_rows_of_all_processes(one, two):
    """Their halves would have another quota, and other weights of the classes."""
    whole, halves = one('step_tcl_boosting'), two('step_tcl_boosting')
    share = whole['losses']['labelled_share'].item()
    assert 0 < share < 1 and all(half['losses']['labelled_share'].item() == share for half in halves)
    assert differences(*[half['buffers']['bank.label'] for half in halves]) == []
    for name in ('loss_instance', 'loss_cluster'):
        assert len({half['losses'][name].item() for half in halves}) == 1


def test_gcc_compares_and_remembers_the_rows_of_all_processes(one, two):
    """Their halves would give another loss; memories, graph and degrees are equal to the bit."""
    for name, keys in (('step_gcc', 2), ('step_gcc_paper', 2), ('step_gcc_pretext', 1)):
        losses = [half['losses'] for half in two(name)]
        assert all(len({found[key].item() for found in losses}) == 1 for key in losses[0] if key.startswith('loss_'))
        assert sum(key.startswith('loss_') for key in losses[0]) == keys
        assert one(name)['buffers']['bank.seen'].sum() == ROWS * keys
    ranks = two('train_gcc')
    assert unequal([states['step'] for states in ranks]) == []
    assert differences(*[states['last'] for states in ranks]) == []
    first, last = ranks[0]['first'], ranks[0]['last']
    assert (last['bank.neighbors'] >= 0).all() and (first['bank.neighbors'] == -1).all()
    assert {'head.fc.weight', 'bank.memory', 'bank.degree'} <= set(differences(first, last))


def test_dec_has_one_set_of_targets(one, two):
    """The rows of a step are the same on one process and on two, and so are centres, targets and labels."""
    ranks, whole = two('train_dec'), one('train_dec')
    assert differences(*ranks) == []
    close({name: ranks[0][name] for name in ('head.centers', 'bank.soft_target')},
          {name: whole[name] for name in ('head.centers', 'bank.soft_target')})
    assert torch.equal(ranks[0]['bank.label'], whole['bank.label']) and (whole['bank.label'] >= 0).all()
    assert ranks[0]['changed'] == whole['changed']
    labels = [state['label'] for state in (*two('train_classical'), one('train_classical'))]
    assert torch.equal(labels[0], labels[1]) and torch.equal(labels[0], labels[2]) and len(labels[0].unique()) == K


def test_secu_counts_the_rows_of_all_processes(one, two):
    """To the bit, also where both see one image."""
    for name, buffer in (('step_secu', 'dual'), ('step_secu_entropy', 'counts')):
        whole, halves = one(name), two(name)
        assert whole['buffers'][buffer].any()
        for half in halves:
            assert torch.equal(half['buffers']['bank.head_label'], whole['buffers']['bank.head_label'])
            assert torch.equal(half['buffers'][buffer], halves[0]['buffers'][buffer])
    assert one('step_secu_entropy')['buffers']['counts'].sum() == 2 * (ROWS + ROWS // 2 - 1)


def test_pici_matches_labels_by_the_rows_of_all_processes(one, two):
    """Their halves would be renamed otherwise, and the two processes alike."""
    whole, halves = one('step_pici_boosting'), two('step_pici_boosting')
    shares = [half['losses']['cross_level_agreement'].item() for half in halves]
    assert sum(shares) / 2 == pytest.approx(whole['losses']['cross_level_agreement'].item())
    assert halves[0]['losses']['loss_cross_level'] != halves[1]['losses']['loss_cross_level'], 'own rows'
    for phase, resting in (('pretraining', {'projector', 'head'}), ('training', set()), ('boosting', {'decoder'})):
        parts = {key.split('.')[0] for key in one(f'step_pici_{phase}')['gradients']}
        assert parts == {'backbone', 'projector', 'head', 'decoder'} - resting
        assert all({key.split('.')[0] for key in half['gradients']} == parts for half in two(f'step_pici_{phase}'))


def test_pici_labels_alike_on_all_processes(one, two):
    ranks = two('train_pici')
    for name in ('step', 'last', 'used'):
        assert differences(ranks[0][name], ranks[1][name]) == []
    assert set(ranks[0]['used'].values()) == {6, 9} and ranks[0]['used'] == one('train_pici')['used']
    label = ranks[0]['last']['bank.view_label']
    assert (label >= 0).all() and (ranks[0]['step']['bank.view_label'] == -1).all()
    assert {'head.fc2.weight', 'backbone.cls_token'} <= set(differences(ranks[0]['step'], ranks[0]['last']))


@pytest.mark.parametrize('name, rows', [('shuffle_bn', ROWS), ('shuffle_keys', ROWS // 2)])
def test_shuffled_rows_come_back_to_their_places(two, name, rows):
    for found in two(name):
        shuffled, plain = found['eval']
        assert shuffled.shape == (rows, 8)
        torch.testing.assert_close(shuffled, plain, rtol=1e-5, atol=1e-6)
        shuffled, plain = found['train']
        assert (shuffled - plain).abs().max() > 1e-3, 'batch norm saw other rows'


# ---- several heads

def test_spice_on_two_processes_is_spice_on_one(one, two):
    whole, ranks = one('train_spice'), two('train_spice')
    for name in ('first', 'step', 'last'):
        assert differences(*[states[name] for states in ranks]) == []
        close(ranks[0][name], whole[name])
    first, last = ranks[0]['first'], ranks[0]['last']
    assert {'head.heads.0.fc2.weight', 'head.heads.2.fc1.bias'} <= set(differences(first, last))
    assert first['bank.feat'].any()
    kept = f'head.heads.{int(last["best_so_far.head_index"])}.fc1.weight'
    assert last['best_so_far.loss'] < first['best_so_far.loss'] and torch.equal(last['best_so_far.head.fc1.weight'], last[kept])


def test_spice_that_trains_its_network_keeps_equal_processes(two):
    ranks = two('train_spice_whole')
    assert unequal([states['step'] for states in ranks]) == []
    assert differences(*[states['last'] for states in ranks]) == []
    assert {'backbone.stages.1.0.conv.weight', 'best_so_far.backbone.stages.1.0.conv.weight', 'best_so_far.loss'} <= \
        set(ranks[0]['last'])


@pytest.mark.parametrize('name', ['esteps_of_a_trained_network', 'esteps_of_moving_statistics'])
def test_an_estep_of_spice_has_one_network_on_all_processes(two, name):
    first, second = two(name)
    assert len(first['used']) == len(first['left']) == 6
    assert all(differences(*pair) for pair in zip(first['left'], second['left'])), 'the ranks learned from other images'
    assert differences(*first['used'][:2]), 'statistics move'
    assert differences(first['used'], second['used']) == []


def test_scan_mines_and_selects_alike_on_all_processes(one, two):
    whole, ranks = one('train_scan'), two('train_scan')
    assert unequal([states['step'] for states in ranks]) == []
    assert differences(*[states['last'] for states in ranks]) == []
    assert torch.equal(ranks[0]['first']['bank.neighbors'], whole['first']['bank.neighbors'])
    assert {'head.heads.2.fc.weight', 'backbone.stages.0.0.conv.weight'} <= \
        set(differences(ranks[0]['first'], ranks[0]['last']))
    assert ranks[0]['last']['best_so_far.loss'].isfinite()
    for states in two('train_scan_from_file'):
        assert differences(states['last'], ranks[0]['last']) == []


def test_asd_remembers_alike_on_all_processes(one, two):
    """Anchors, last predictions, transitions and map are those of all rows."""
    names = [f'labeller.{name}' for name in ('ring', 'counts', 'pointer', 'steps', 'class_map')]
    names += ['bank.pred', 'bank.anchor', 'watch.predicted', 'watch.given']
    for kind in ('step_asd', 'step_asd_soft', 'step_asd_noise'):
        whole, halves = one(kind), two(kind)
        assert whole['buffers']['labeller.counts'].sum() > 0 and whole['losses']['loss_sup'] > 0
        for half in halves:
            assert differences(*[{name: state['buffers'][name] for name in names} for state in (whole, half)]) == []
    ranks = two('train_asd')
    for when in ('first', 'step', 'last'):
        assert unequal([states[when] for states in ranks]) == []
    first, last = ranks[0]['first'], ranks[0]['last']
    assert (last['labeller.class_map'] >= 0).all() and last['labeller.counts'].sum() > 0
    assert torch.equal(first['bank.anchor'], last['bank.anchor']) and first['bank.anchor'].max() == 7
    assert torch.equal(one('train_asd')['first']['bank.anchor'], first['bank.anchor'])
    assert {'labeller.head.weight', 'head.fc.weight', 'teacher.backbone.stages.0.0.conv.weight', 'bank.pred'} <= \
        set(differences(first, last))


def test_asd_compares_what_one_network_has_seen(one, two):
    """Anchors and rows of all processes are embedded with the running statistics of the first."""
    for half in two('reference_asd'):
        assert differences(half, one('reference_asd')) == []


def test_rucs_networks_share_labels_and_confidence(one, two):
    """What one network finds on either process is there for the other, whose turn is the next."""
    names = ['bank.target', 'bank.confidence', 'bank.weight']
    for kind in ('step_ruc', 'step_ruc_twin'):
        whole, halves = one(kind), two(kind)
        assert whole['losses']['clean_share'] > 0.5 and whole['buffers']['bank.weight'].any()
        assert {name.startswith('twin.') for name in whole['gradients']} == {kind == 'step_ruc_twin'}
        for half in halves:
            assert set(half['gradients']) == set(whole['gradients']), 'the other network has none at all'
            assert differences(*[state['buffers']['bank.target'] for state in (whole, half)]) == []
        assert differences(*[{name: half['buffers'][name] for name in names} for half in halves]) == []
    assert one('step_ruc_one_clean')['losses']['clean_share'] == pytest.approx(1 / 14)
    assert one('step_ruc_asd_twin')['losses']['loss_sup'] > 0


@pytest.mark.parametrize('name', ['train_ruc', 'train_ruc_asd'])
def test_ruc_remembers_alike_on_all_processes(two, name):
    ranks = two(name)
    for when in ('first', 'step', 'last'):
        assert unequal([states[when] for states in ranks]) == []
    first, last = ranks[0]['first'], ranks[0]['last']
    assert {'head.fc.weight', 'twin.head.fc.weight', 'twin.backbone.stages.0.0.conv.weight'} <= \
        set(differences(first, last))
    if name == 'train_ruc':
        counts = [(state['bank.target'] >= 0).sum() for state in (first, last)]
        assert counts[0] < counts[1] and (last['bank.confidence'].amax(0) > 0).all() and last['bank.weight'].any()
        assert differences(first, ranks[0]['step'])[0].startswith('twin.'), 'the second epoch is the turn of the twin'
    else:
        assert last['taught'].all() and (last['labeller.class_map'] >= 0).all()


# ---- what fails on the first process

def test_what_the_first_process_computes(two):
    assert two('main_process_returns') == [5, None]


@pytest.mark.parametrize('name, error, told', [
    ('main_process_fails', 'ValueError: 4 clusters are too many', 'RuntimeError: rank 0 stopped: '),
    ('estimate_fails', 'ValueError: center_ratio=0.0', '')])
def test_an_error_of_the_first_process_stops_all(two, name, error, told):
    """What all compute together fails on all of them by itself."""
    (well, text), (well_too, text_too) = two(name)
    assert not well and not well_too
    assert error in text and 'rank 0 stopped' not in text
    assert told + error in text_too and ('rank 0 stopped' in text_too) is bool(told)


# ---- views, sweeps, metrics, bank

def test_views_do_not_depend_on_processes_or_workers(one, two):
    alone, ranks = one('views_of_both_doors'), two('views_of_both_doors')
    for door in ('memory', 'worker'):
        expected = alone[door, 0]
        assert len(expected) == 96 and {len(entry) for entry in expected.values()} == {2, 3}
        assert len({entry[1] for entry in expected.values()}) > 60
        assert alone[door, 2] == expected
        for num_workers in (0, 2):
            first, second = (found[door, num_workers] for found in ranks)
            assert not set(first) & set(second) and {**first, **second} == expected


def test_a_sweep_of_ragged_shards_is_the_sweep_of_one(one, two):
    whole, ranks = one('sweep'), two('sweep')
    assert whole['test'].shape == (RAGGED, 8) and whole['train'].shape == (RAGGED, 2, 8)
    for key in ('test', 'one', 'train', 'statistics'):
        assert torch.equal(ranks[0][key], ranks[1][key])
        if key != 'train':  # where batch norm sees a share only
            torch.testing.assert_close(ranks[0][key], whole[key], rtol=1e-5, atol=1e-6)
    assert len(whole['test'].unique(dim=0)) == RAGGED
    assert torch.equal(whole['statistics'], torch.zeros(16)), 'a sweep in training mode leaves no trace'


def test_metrics_of_ragged_shards_are_those_of_one(one, two):
    whole, ranks = one('metrics'), two('metrics')
    for source in ('kmeans', 'head'):
        expected, assignments = whole[source]
        assert {f'{source}/acc', f'{source}/nmi', f'{source}/ari'} < set(expected)
        assert [found[source][0] for found in ranks] == [expected] * 2
        assert ranks[1][source][1] is None
        found = ranks[0][source][1]
        assert all(torch.equal(getattr(found, name), getattr(assignments, name)) for name in ('index', 'cluster', 'second'))
        # centres of k-means are sums of halves, which round otherwise
        torch.testing.assert_close(found.confidence, assignments.confidence, rtol=1e-6 * (source == 'kmeans'), atol=0)
        assert assignments.index.tolist() == list(range(RAGGED))


def test_the_bank_is_a_loop_over_the_rows_of_all_processes(one, two):
    seen, row, expected = [-1] * BANK_SIZE, [[0., 0.]] * BANK_SIZE, []
    for i, (index, value, where) in enumerate(bank_inputs()):
        old, exchange = [], i % 3 == 2
        for j, v, stored in zip(index.tolist(), value.tolist(), where.tolist()):
            if exchange:
                old.append(seen[j])
            if stored or i % 3 != 1:
                seen[j] = v
                row[j] = row[j] if exchange else [float(v), -float(v)]
        answer = (torch.tensor(old), value) if exchange else None
        expected.append((answer, torch.tensor(seen), torch.tensor(row)))
    assert any(len(index.unique()) < len(index) for index, _, _ in bank_inputs())
    for found in (one('bank'), *two('bank')):
        assert differences(found, expected) == []
