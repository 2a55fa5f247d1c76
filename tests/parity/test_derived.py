"""Adapters on inputs that follow from a vector: a weight of 0, other names of classes, another number of classes."""
import numpy as np
import pytest
import torch

from . import numerics_adapters, pseudo_adapters, tcl_adapters
from .registry import DEFAULT_DIR, to_input


def inputs_of(vector):
    with np.load(DEFAULT_DIR / vector) as data:
        return {name[3:]: to_input(data[name], torch.float64) for name in data if name.startswith('in_')}


@pytest.mark.parametrize('weight, term', [('delta', 'ppl'), ('beta', 'npl'), ('gamma', 'kpl'), ('lambda_fair', 'fair')])
def test_a_term_of_clusmatch_without_weight(weight, term):
    inputs = inputs_of('clusmatch/total_default.npz')
    whole = pseudo_adapters.clusmatch_total(dict(inputs), torch.float64)
    less = pseudo_adapters.clusmatch_total({**inputs, weight: 0.}, torch.float64)
    assert less.keys() == whole.keys()
    for name in [name for name in whole if name.startswith('total_')]:
        part = whole.get(name.replace('total', term), torch.zeros((), dtype=torch.float64))
        torch.testing.assert_close(less[name].detach(), (whole[name] - inputs[weight] * part).detach())


def test_any_whole_numbers_name_classes():
    inputs = inputs_of('propos/metrics_ignored_label.npz')
    renamed = torch.where(inputs['true'] < 0, inputs['true'], -7 * inputs['true'] - 5)
    assert numerics_adapters.metrics({**inputs, 'true': renamed}, torch.float64) == pytest.approx(
        numerics_adapters.metrics(inputs, torch.float64))


def test_the_quota_of_a_class_may_be_of_another_number_of_classes():
    inputs = inputs_of('tcl/pseudo_labels_first.npz')
    none = torch.full_like(inputs['current'], -1)
    sizes = [torch.bincount(tcl_adapters.tcl_pseudo_labels(
        {**inputs, 'alpha': 0., 'current': none, 'num_clusters': number}, torch.float64)['labels'] + 1, minlength=5)[1:]
        for number in (1, 4, 8)]
    predicted = torch.bincount(inputs['probs'].argmax(1), minlength=4)
    for number, found in zip((1, 4, 8), sizes):
        assert torch.equal(found, predicted.clamp(max=-(-64 // (2 * number))))
