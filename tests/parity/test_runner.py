"""The runner must fail when a vector is wrong, unknown, unanswered or missing."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from . import equations_adapters, registry, test_parity

ROOT = Path(__file__).resolve().parents[2]
GOOD = dict(in_x=np.array([[3., 4.], [0., 2.]]), in_labels=np.array([1, -1]), in_num_clusters=np.array(3),
            out_centers=np.array([[0., 0.], [.6, .8], [0., 0.]]), out_present=np.array([False, True, False]))


@pytest.fixture
def plant(tmp_path):
    """Write a vector derived from a right one and return its path."""

    def write(name='prototypes_planted', method='propos', **changes):
        (tmp_path / method).mkdir(exist_ok=True)
        path = tmp_path / method / f'{name}.npz'
        np.savez(path, **{key: value for key, value in {**GOOD, **changes}.items() if value is not None})
        return path

    return write


@pytest.fixture(autouse=True)
def own_adapters(monkeypatch):
    """Let a test register adapters of its own; the prototypes' is known."""
    known = {('propos', 'prototypes'): equations_adapters.propos_prototypes}
    monkeypatch.setattr(registry, 'ADAPTERS', known)


def both(path):
    for dtype in (torch.float64, torch.float32):
        registry.check_vector(path, dtype)


def test_a_right_vector_passes(plant):
    both(plant())
    both(plant(meta_note=np.array(5.)))


@pytest.mark.parametrize('changes', [
    dict(out_centers=GOOD['out_centers'] + [[0, 0], [0, 1e-3], [0, 0]]),
    dict(out_centers=GOOD['out_centers'] * np.nan),
    dict(out_centers=GOOD['out_centers'][:2]),
    dict(out_present=~GOOD['out_present']),
    dict(in_labels=np.array([2, -1])),
])
@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
def test_a_wrong_vector_fails(plant, changes, dtype):
    with pytest.raises(AssertionError, match='centers|present'):
        registry.check_vector(plant(**changes), dtype)


def test_float64_is_held_to_its_own_bounds(plant):
    path = plant(out_centers=GOOD['out_centers'] * (1 + 1e-7))
    registry.check_vector(path, torch.float32)
    with pytest.raises(AssertionError, match='centers'):
        registry.check_vector(path, torch.float64)


def test_an_output_that_no_adapter_returns_fails(plant):
    with pytest.raises(AssertionError, match="does not return .'spread'"):
        registry.check_vector(plant(out_spread=np.array(1.)), torch.float64)


def test_a_vector_without_outputs_fails(plant):
    with pytest.raises(AssertionError, match='holds no output'):
        registry.check_vector(plant(out_centers=None, out_present=None), torch.float64)


@pytest.mark.parametrize('place', [dict(name='unheard_of'), dict(name='prototypes'), dict(method='nobody')])
def test_an_unknown_component_fails(plant, place):
    with pytest.raises(LookupError, match='no adapter'):
        registry.check_vector(plant(**place), torch.float64)


def test_the_longest_name_wins_and_a_name_is_taken_once(plant):
    registry.adapter('propos', 'prototypes_planted')(lambda inputs, dtype: dict(centers=0, present=0))
    assert registry.component_of(plant()) == 'prototypes'
    assert registry.component_of(plant('prototypes_planted_twice')) == 'prototypes_planted'
    with pytest.raises(KeyError, match='already'):
        registry.adapter('propos', 'prototypes')(lambda inputs, dtype: {})


def test_inputs_have_the_promised_types(plant):
    seen = {}

    @registry.adapter('propos', 'probe')
    def probe(inputs, dtype):
        seen.update(inputs)
        return dict(present=GOOD['out_present'])

    registry.check_vector(plant('probe_a', in_flag=np.array(True), in_rate=np.array(.3), in_mask=np.array([True]),
                                out_centers=None), torch.float32)
    assert set(seen) == {'x', 'labels', 'num_clusters', 'flag', 'rate', 'mask'}
    assert seen['x'].dtype == torch.float32 and seen['labels'].dtype == torch.int64 and seen['mask'].dtype == torch.bool
    assert seen['flag'] is True and seen['rate'] == .3 and type(seen['num_clusters']) is int


def test_what_several_optima_leave_open_is_not_compared(plant):
    registry.adapter('clusmatch', 'align')(
        lambda inputs, dtype: dict(n_agree=4, votes=np.eye(2, dtype=int), mapping=np.array([1, 0])))
    outputs = dict(out_n_agree=np.array(4), out_votes=np.eye(2, dtype=int), out_mapping=np.array([0, 1]),
                   out_centers=None, out_present=None)
    both(plant('align_tie', 'clusmatch', **outputs, meta_unique=np.array(False)))
    for unique in (np.array(True), None):
        with pytest.raises(AssertionError, match='mapping'):
            both(plant('align_one', 'clusmatch', **outputs, meta_unique=unique))
    with pytest.raises(AssertionError, match='n_agree'):
        both(plant('align_bad', 'clusmatch', **{**outputs, 'out_n_agree': np.array(5)}, meta_unique=np.array(False)))


def test_a_flag_of_another_name_opens_an_order(plant):
    registry.adapter('scan', 'neighbors')(lambda inputs, dtype: dict(indices=np.array([[0, 1]]), similarities=1.))
    outputs = dict(out_indices=np.array([[1, 0]]), out_similarities=np.array(1.), out_centers=None, out_present=None)
    both(plant('neighbors_tie', 'scan', **outputs, meta_unique_order=np.array(False)))
    with pytest.raises(AssertionError, match='indices'):
        registry.check_vector(plant('neighbors_one', 'scan', **outputs, meta_unique=np.array(False)), torch.float64)


def test_sets_are_compared_in_one_order(plant, monkeypatch):
    monkeypatch.setattr(registry, 'ORDERS', {})
    registry.adapter('propos', 'sets')(lambda inputs, dtype: dict(rows=torch.tensor([[2, 0, 1]])))
    outputs = dict(out_centers=None, out_present=None)
    path = plant('sets_a', **outputs, out_rows=np.array([[0, 1, 2]]))
    with pytest.raises(AssertionError, match='rows'):
        registry.check_vector(path, torch.float64)
    registry.order_of('propos', 'sets')(lambda arrays: dict(rows=np.sort(arrays['rows'], axis=1)))
    both(path)
    with pytest.raises(AssertionError, match='rows'):
        registry.check_vector(plant('sets_b', **outputs, out_rows=np.array([[0, 1, 1]])), torch.float64)


def test_float32_values_can_have_a_closer_bound_than_gradients(plant, monkeypatch):
    monkeypatch.setitem(registry.TOLERANCES, 'propos', registry.Tolerance(single_rtol=1e-5))
    near = dict(out_centers=None, out_present=None)
    for name, holds in (('value', False), ('grad_value', True)):
        registry.adapter('propos', name)(lambda inputs, dtype, name=name: {name: np.array([100., 1.])})
        path = plant(f'{name}_a', **near, **{f'out_{name}': np.array([100.005, 1.])})
        if holds:
            registry.check_vector(path, torch.float32)
            continue
        with pytest.raises(AssertionError, match='value'):
            registry.check_vector(path, torch.float32)


def test_parity_dir_is_honoured(plant, tmp_path):
    plant()
    plant('prototypes_wrong', out_present=~GOOD['out_present'])
    plant(method='nobody')
    command = [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', test_parity.__file__]
    environment = {**os.environ, 'PARITY_DIR': str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 1
    assert '4 failed, 3 passed' in done.stdout, done.stdout


@pytest.mark.parametrize('folder', ['missing', 'empty', ''])
def test_a_folder_without_vectors_fails(tmp_path, monkeypatch, folder):
    (tmp_path / 'empty' / 'propos').mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('PARITY_DIR', folder)
    monkeypatch.setattr(test_parity, 'VECTORS', registry.find_vectors(registry.parity_dir()))
    with pytest.raises(AssertionError, match='no <method>/<component>_<case>.npz below'):
        test_parity.test_there_are_vectors()


def test_the_default_folder_is_the_repository_s(monkeypatch):
    monkeypatch.delenv('PARITY_DIR', raising=False)
    assert registry.parity_dir() == ROOT / 'tests' / 'data' / 'parity'
    assert {'propos', 'clusmatch', 'spice', 'scan'} <= {path.parent.name for path in registry.find_vectors(registry.parity_dir())}
