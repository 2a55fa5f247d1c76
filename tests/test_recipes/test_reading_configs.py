"""What is wrong in a config file is said of that file, not of the copy that MMEngine runs."""
import pytest

from mmcluster.cli import main
from mmcluster.recipes import read_config


@pytest.mark.parametrize('text, kind, said', [
    ('a = 1\nb = (2\n', ValueError, r"mine\.py, line 2: '\(' was never closed"),
    ('a = 1\n\nb = fasle\n', ValueError, r"mine\.py, line 3: name 'fasle' is not defined"),
    ("x = 1\ny = open('nonesuch.txt').read()\n", FileNotFoundError, r"mine\.py, line 2: .*nonesuch\.txt"),
    ("x = 1\n\ny = eval('1 +')\n", ValueError, r'mine\.py, line 3: invalid syntax'),
    ("raise SyntaxError('text')\n", ValueError, r'mine\.py, line 1: text'),
    ('x = 1\nimport wrong\n', ValueError, r"mine\.py, line 2: name 'nope' is not defined \(.*wrong\.py, line 3\)"),
    ("custom_imports = dict(imports=['wrong'])\n", ValueError, r"custom_imports fail: .*wrong\.py, line 3: name 'nope'"),
    ("custom_imports = dict(imports=['no_python'])\n", ValueError, r'custom_imports fail: .*no_python\.py, line 2: inv'),
    ('import nonesuch\n', ValueError, r"mine\.py, line 1: No module named 'nonesuch'"),
    ("custom_imports = dict(imports=['nonesuch.parts'])\n", ImportError,
     r"mine\.py: its custom_imports fail: No module named 'nonesuch'\. Install .*PYTHONPATH"),
    ("custom_imports = dict(imports=['half_done'])\n", ImportError, "custom_imports fail: cannot import name 'nothing'")])
def test_a_fault_of_a_config_is_said_of_its_file(tmp_path, monkeypatch, text, kind, said):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / 'wrong.py').write_text('x = 1\n\ny = nope\n')
    (tmp_path / 'no_python.py').write_text('x = 1\ny = = 2\n')
    (tmp_path / 'half_done.py').write_text('from json import nothing\n')
    (tmp_path / 'mine.py').write_text(text)
    with pytest.raises(kind, match=said):
        read_config(tmp_path / 'mine.py')


@pytest.mark.parametrize('base, text, kind, said', [
    ('x = 1\ny = 1 / 0\n', '', ValueError, r'base\.py, line 2: division by zero'),
    ('x = 1\ny = = 2\n', '', ValueError, r'base\.py, line 2: invalid syntax'),
    ('x = 1\n', 'y = _base_.z\n', ValueError, r"mine\.py, line 2: .*no attribute 'z'"),
    ('import broken\n', '', ValueError, r'broken\.py, line 2: '),
    (None, '', FileNotFoundError, r'base\.py, which .*mine\.py has for its _base_, does not exist')])
def test_a_fault_of_a_base_is_said_of_the_base(tmp_path, monkeypatch, base, text, kind, said):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / 'broken.py').write_text('\nx = (\n')
    if base is not None:
        (tmp_path / 'base.py').write_text(base)
    (tmp_path / 'mine.py').write_text(f"_base_ = './base.py'\n{text}")
    with pytest.raises(kind, match=said):
        read_config(tmp_path / 'mine.py')


def test_what_a_line_calls_is_said_of_the_line(tmp_path):
    (tmp_path / 'mine.py').write_text('import json\na = json.loads("{")\n')
    with pytest.raises(ValueError, match=r'mine\.py, line 2: Expecting property name'):
        read_config(tmp_path / 'mine.py')


def test_a_part_and_a_command_say_it_too(tmp_path, capfd):
    (tmp_path / 'parts').mkdir()
    (tmp_path / 'parts' / 'own.py').write_text('facts = dict(epochs=one)\n')
    (tmp_path / 'mine.py').write_text("stages = dict(a=dict(parts=['own']))\n")
    assert main(['train', str(tmp_path / 'mine.py')]) == 2
    error = capfd.readouterr().err
    assert "own.py, line 1: name 'one' is not defined" in error and 'Traceback' not in error
