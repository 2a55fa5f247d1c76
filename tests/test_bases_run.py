"""Runs of bases that keep state of every image, on a few digits: interrupted, and on permuted labels."""
import pytest
import torch
from killed import Killed
from reduced import N, differences, load, train, write_digits
from reduced_bases import TCL_BOOST, byol_cc_cfg, cc_psl_cfg, idfd_cfg, tcl_cfg

pytestmark = pytest.mark.usefixtures('engine')
STEPS = 3
# its config, and the iterations at which it is killed
RUNS = dict(byol_cc=(byol_cc_cfg, (4,)), cc_psl=(cc_psl_cfg, (4,)), idfd=(idfd_cfg, (4,)),
            tcl=(tcl_cfg, (1, TCL_BOOST * STEPS + 1)))


def outcome(path):
    return {part: load(path)[part] for part in ('state_dict', 'optimizer')}


@pytest.fixture(scope='module', params=RUNS)
def whole(request, tmp_path_factory):
    """(name, config of a folder, result of an uninterrupted run)."""
    folder = tmp_path_factory.mktemp(request.param)
    make = RUNS[request.param][0]
    return request.param, make, outcome(train(make(folder / 'work', write_digits(folder)))['train'])


def test_interrupted_equals_uninterrupted(whole, tmp_path, kill):
    name, make, expected = whole
    data = write_digits(tmp_path)
    for i, iteration in enumerate(RUNS[name][1]):
        kill(iteration)
        with pytest.raises(Killed):
            train(make(tmp_path / 'work', data), resume='auto' if i else False)
    kill(None)
    assert differences(expected, outcome(train(make(tmp_path / 'work', data), resume='auto')['train'])) == []


def test_permuted_labels_leave_the_weights_bit_identical(whole, tmp_path):
    _, make, expected = whole
    assert differences(expected, outcome(train(make(tmp_path / 'work', write_digits(tmp_path, 1)))['train'])) == []


def test_the_state_of_every_image_was_written(whole):
    """Every image has a cluster for CC with scattering, and is remembered by IDFD. Of TCL some images are labelled, and some are not."""
    name, _, expected = whole
    if name == 'tcl':
        assert 0 < (expected['state_dict']['bank.label'] >= 0).sum() < N
    if name == 'cc_psl':
        assert (expected['state_dict']['bank.label'] >= 0).all()
    if name == 'idfd':
        torch.testing.assert_close(expected['state_dict']['bank.memory'].norm(dim=1), torch.ones(N))
