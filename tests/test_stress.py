"""The stress script finds nothing in a few trials, and finds what is planted."""
import pytest
import stress
import torch

pytestmark = pytest.mark.usefixtures('engine')


@pytest.mark.slow
@pytest.mark.parametrize('options', [['--kills', '2'], ['--permutations', '1'], ['--flips', '20']], ids=lambda o: o[0])
def test_nothing_is_found(options):
    assert stress.main(options) == 0


def unchecked(path):
    """Read a file as torch does, without regard to checksums."""
    try:
        return torch.load(path, weights_only=True)
    except Exception as error:
        raise RuntimeError(path) from error


def test_a_loader_that_does_not_check_is_found(monkeypatch, capsys):
    monkeypatch.setattr(stress, 'load_checkpoint_file', unchecked)
    assert stress.main(['--flips', '40']) > 0
    assert ' 0 silently different' not in capsys.readouterr().out
