"""Arguments that the tools share; importing this costs nothing."""
from __future__ import annotations

import argparse
import os
import re
import uuid
from typing import Any, Optional, Sequence


class Settings(argparse.Action):
    """mmengine's ``DictAction`` (``key=value`` arguments), which is imported when there are any."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any,
                 option_string: Optional[str] = None) -> None:
        """Add the settings to the namespace."""
        from mmengine.config import DictAction
        for value in values:
            if '=' not in value.lstrip('='):
                parser.error(f'{option_string}: {value!r} is no KEY=VALUE, such as randomness.seed=1')
            key, _, said = value.partition('=')
            if re.search(r'dict\(|\{\s*[\'"]', said):      # mmengine would make a list of its pieces
                parser.error(f'{option_string}: {value!r} gives a dict: write an entry each, {key}.type=... and so on, '
                             f'with {key}._delete_=True for one that takes the place of another')
        DictAction(self.option_strings, self.dest, nargs='+')(parser, namespace, values, option_string)


class AnyOrder(argparse.ArgumentParser):
    """Takes an argument that may be left out behind options, too; argparse leaves it out if an option comes first."""

    _parts = False      # whether argparse asks for options and arguments one after the other

    def parse_known_args(self, args: Optional[Sequence[str]] = None,  # type: ignore[override]  # typeshed has overloads
                         namespace: Optional[argparse.Namespace] = None) -> tuple[argparse.Namespace, list[str]]:
        """Parse what is known, see ``argparse``."""
        if self._parts or any(action.nargs == argparse.PARSER for action in self._actions):
            return super().parse_known_args(args, namespace)
        self._parts = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._parts = False


def output_file(path: str) -> str:
    """Type of a command-line option: a file that is written after long work, so its folder is made before.

    Args:
        path: The file; what it holds stays for now.

    Raises:
        argparse.ArgumentTypeError: If it cannot be written.
    """
    probe = f'{path}.{uuid.uuid4().hex}.tmp'
    try:
        if os.path.isdir(path):
            raise IsADirectoryError('this is a folder, name a file in it')
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with open(probe, 'xb'):
            pass
        os.remove(probe)
    except OSError as error:
        raise argparse.ArgumentTypeError(f'{path} cannot be written: {error}') from None
    return path
