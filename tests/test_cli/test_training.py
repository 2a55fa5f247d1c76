"""Encoders that are trained on the images of the folder."""
import json

import numpy as np
import pytest
import torch

from mmcluster.apis.result import read_result
from mmcluster.apis.training import sure_rows
from mmcluster.cli import main
from mmcluster.registry import LABEL_SELECTORS


def test_an_encoder_from_scratch_goes_with_the_result(photos, tmp_path, capfd):
    argv = ['cluster', str(photos), '--k', '3', '--train', '--epochs', '2', '--out', 'out', '--workers', '0', '--json']
    assert main(argv) == 0
    first = read_result('out')
    assert json.loads(capfd.readouterr().out)['encoder']['spec'] == 'training/scratch', 'the log is elsewhere'
    assert main(argv) == 0
    assert np.array_equal(read_result('out').embed, first.embed), 'a training that is done is not repeated'
    (tmp_path / 'out').rename(tmp_path / 'moved')
    capfd.readouterr()
    assert main(['assign', 'moved', str(photos / first.paths[0]), '--json', '--workers', '0']) == 0
    assert json.loads(capfd.readouterr().out)['images'][0]['second'] in (0, 1, 2)


def test_finetuning_is_of_the_default_encoder(photos, capfd):
    assert main(['cluster', str(photos), '--k', '3', '--finetune', 'clusmatch', '--train', '--epochs', '1',
                 '--quiet']) == 2
    assert 'drop --encoder and --train' in capfd.readouterr().err


def test_sure_rows_are_the_surest_of_every_cluster(tmp_path):
    cluster = np.array([0, 0, 0, 0, 0, 1, -1])
    target = sure_rows(cluster, np.array([.1, .9, .2, .8, .3, .1, .9]), 0.4)
    assert target.tolist() == [-1, 0, -1, 0, -1, 1, -1]
    np.save(tmp_path / 't.npy', target)
    given = LABEL_SELECTORS.build(dict(type='mmcluster.GivenLabels', file=str(tmp_path / 't.npy')))
    assert given(torch.zeros(7, 2)).tolist() == target.tolist()
    with pytest.raises(ValueError, match='7,'):
        given(torch.zeros(6, 2))
