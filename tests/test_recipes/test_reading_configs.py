"""What is wrong in a config file is said of that file, not of the copy that MMEngine runs."""
import pytest

from mmcluster.cli import main
from mmcluster.recipes import read_config


@pytest.mark.parametrize('text, kind, said', [
    ('a = 1\nb = (2\n', ValueError, r"mine\.py, line 2: '\(' was never closed"),
    ('a = 1\n\nb = fasle\n', ValueError, r"mine\.py, line 3: name 'fasle' is not defined"),
    ('import nonesuch\n', ValueError, r"mine\.py, line 1: No module named 'nonesuch'"),
    ("custom_imports = dict(imports=['nonesuch.parts'])\n", ImportError,
     r"mine\.py: its custom_imports fail: No module named 'nonesuch'\. Install .*PYTHONPATH"),
    ("custom_imports = dict(imports=['half_done'])\n", ImportError, "custom_imports fail: cannot import name 'nothing'")])
def test_a_fault_of_a_config_is_said_of_its_file(tmp_path, monkeypatch, text, kind, said):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / 'half_done.py').write_text('from json import nothing\n')
    (tmp_path / 'mine.py').write_text(text)
    with pytest.raises(kind, match=said):
        read_config(tmp_path / 'mine.py')


def test_a_part_and_a_command_say_it_too(tmp_path, capfd):
    (tmp_path / 'parts').mkdir()
    (tmp_path / 'parts' / 'own.py').write_text('facts = dict(epochs=one)\n')
    (tmp_path / 'mine.py').write_text("stages = dict(a=dict(parts=['own']))\n")
    assert main(['train', str(tmp_path / 'mine.py')]) == 2
    error = capfd.readouterr().err
    assert "own.py, line 1: name 'one' is not defined" in error and 'Traceback' not in error
