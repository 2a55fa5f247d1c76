"""Values from environment variables: numbers of our own, and ``{{$NAME:default}}`` in configs.

mmengine pastes the variable into the source of the config, so that a quote or a backslash in a path is a syntax error
or another path, and a word where a number belongs an unknown name. Importing :mod:`mmcluster.compat` puts
:func:`substitute_file` in the place of its function.
"""
from __future__ import annotations

import ast
import os
import re
import string
from pathlib import Path
from typing import Any

_PLACE = re.compile(r'\{\{[\'"]?\s*\$(\w+)\s*:\s*(\S*?)\s*[\'"]?\}\}')
_PLAIN = set(string.ascii_letters + string.digits + '/._- ')


def env_int(name: str, default: int, least: int = 0) -> int:
    """Whole number of a variable.

    Args:
        name: Of the variable.
        default: Where it is not set, or empty.
        least: Smallest number that makes sense.

    Raises:
        ValueError: If the variable is no such number.
    """
    text = os.environ.get(name) or str(default)
    if not text.strip().isdecimal() or int(text) < least:
        raise ValueError(f'the environment variable {name} must be a whole number from {least}, got {text!r}')
    return int(text)


def substitute_file(filename: str, temp_config_name: str) -> dict[str, str]:
    """Replace ``{{$NAME:default}}`` in a file, as ``Config._substitute_env_variables`` does.

    Args:
        filename: The config.
        temp_config_name: Where to write the outcome.

    Returns:
        Variables that were set -> their values.
    """
    text, used = substitute(Path(filename).read_text(encoding='utf-8'))
    Path(temp_config_name).write_text(text, encoding='utf-8')
    return used


def substitute(text: str) -> tuple[str, dict[str, str]]:
    """Replace ``{{$NAME:default}}`` in the source of a config by variables, whatever characters they hold.

    Inside of a string the variable is the text itself; elsewhere it must be a Python literal of the default's kind,
    such as a number.

    Args:
        text: Source of the config.

    Returns:
        The source with values, and the variables that were set.

    Raises:
        ValueError: If a variable is no such literal.
        KeyError: If one without a default is not set.
    """
    places: list[tuple[str, str]] = []

    def mark(place: re.Match) -> str:
        """Put a name in the place, which is valid in a string and outside."""
        places.append((place[1], place[2]))
        return _mark(len(places) - 1)

    marked = _PLACE.sub(mark, text)
    quoted = _strings_of(marked)
    used = {name: os.environ[name] for name, _ in places if os.environ.get(name)}
    for number, (name, default) in enumerate(places):
        value = default
        if name in used:
            inside = any(_mark(number) in item for item in quoted)
            value = _escaped(used[name]) if inside else repr(_literal(name, used[name], default))
        if not value:
            raise KeyError(f'the config needs the environment variable {name}, which has no default: set it')
        marked = marked.replace(_mark(number), value)
    return marked, used


def _mark(number: int) -> str:
    """Stands for a place."""
    return f'__mmcluster_env_{number}__'


def _strings_of(source: str) -> list[str]:
    """All strings of a source; the source itself if it is no Python, where a variable is text."""
    try:
        tree = ast.parse(source)
    except SyntaxError:     # JSON or YAML, or a mistake that is reported when the config is run
        return [source]
    return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _escaped(value: str) -> str:
    """The text for the inside of a string, of either kind of quotes; braces are escaped for mmengine's sake."""
    return ''.join(char if char in _PLAIN else f'\\U{ord(char):08x}' for char in value)


def _literal(name: str, value: str, default: str) -> Any:
    """Value of a variable outside of strings."""
    try:
        found, usual = ast.literal_eval(value.strip()), _usual(default)
        number = isinstance(usual, float) and isinstance(found, int)
        if usual is None or number or type(found) is type(usual):
            return found
    except (ValueError, SyntaxError):
        pass
    raise ValueError(f'the environment variable {name} must be a value such as {default}, got {value!r}')


def _usual(default: str) -> Any:
    """The default as a value; None if it is no literal."""
    try:
        return ast.literal_eval(default)
    except (ValueError, SyntaxError):
        return None
