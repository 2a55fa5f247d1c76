"""One reading of labels: what is unknown, what is a label, and what is refused, the same in arrays and in tables."""
import numpy as np
import pytest
import torch

from mmcluster.functional.labels.given import label_of, whole_labels

UNKNOWN = ['', '-1', '-1.0', '-1.', '-1.000000000000000000e+00', 'nan', 'NaN', '-nan']
REFUSED = ['-2', '-0.5', '1.5', '-1.5', '1e-1', '-inf-', '1e300']


@pytest.mark.parametrize('text', UNKNOWN)
def test_unknown(text):
    assert label_of(text) == -1 and whole_labels([text, '3']).tolist() == [-1, 3]


@pytest.mark.parametrize('text, label', [('0', 0), ('01', 1), ('3.0', 3), ('+2', 2), ('2.000e+00', 2), ('-0.0', 0)])
def test_numbers(text, label):
    assert label_of(text) == label and isinstance(label_of(text), int)
    assert whole_labels([text]).tolist() == [label]


@pytest.mark.parametrize('text', ['cat', 'inf', '1_0', '1.2.3', '-', 'n/a', '-2 cats', '0x1'])
def test_names(text):
    assert label_of(text) == text
    with pytest.raises(ValueError, match='given.csv hold the name'):
        whole_labels([text], 'given.csv')


@pytest.mark.parametrize('text', [text for text in REFUSED if not text.endswith('-')])
def test_refused_as_text_and_as_a_number(text):
    with pytest.raises(ValueError, match='is no label'):
        label_of(text)
    with pytest.raises(ValueError, match=r'1 of 2 truths are no labels, beginning with .* \(row 1\)'):
        whole_labels([0, float(text)], 'truths')


@pytest.mark.parametrize('values', [
    [0, -1, 2], [0., -1., 2.], np.array([0, np.nan, 2]), np.array(['0', '', '2.0']), ['0', None, 2],
    torch.tensor([0, -1, 2]), torch.tensor([0., float('nan'), 2.]), np.array([0, -1, 2], np.int8),
    np.ma.array([0, 7, 2], mask=[False, True, False]), np.array([b'0', b'-1.0', b'2'])])
def test_arrays(values):
    labels = whole_labels(values)
    assert labels.tolist() == [0, -1, 2] and labels.dtype == np.int64


@pytest.mark.parametrize('values', [[0, -2], [0, float('inf')], np.array([2 ** 63], np.uint64), [1j], [0, .5]])
def test_refused_arrays(values):
    with pytest.raises(ValueError, match='no labels, beginning|must be whole numbers'):
        whole_labels(values)


def test_shapes_are_kept():
    assert whole_labels(np.zeros((2, 3))).shape == (2, 3) and whole_labels([]).shape == (0,)
    assert whole_labels([True, False]).tolist() == [1, 0]
